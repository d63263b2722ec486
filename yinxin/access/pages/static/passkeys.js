// Passkeys: a form with data-passkey="get" or "create" asks our server what to ask the authenticator, asks it,
// and brings the answer back. Values travel as base64url.

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

class Refusal extends Error {}

async function ask(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      "Content-Type": "application/json",
      "Accept": "application/json",
      "Accept-Language": document.documentElement.lang,
    },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const refusal = new Refusal(said.next ?? "");
    refusal.status = answer.status;
    throw refusal;
  }
  return said;
}

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: options.excludeCredentials.map((one) => ({ ...one, id: toBytes(one.id) })),
    },
  });
  return {
    id: made.id,
    rawId: toText(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: toText(made.response.clientDataJSON),
      attestationObject: toText(made.response.attestationObject),
    },
  };
}

async function get(options) {
  const found = await navigator.credentials.get({
    publicKey: { ...options, challenge: toBytes(options.challenge) },
  });
  return {
    id: found.id,
    rawId: toText(found.rawId),
    type: found.type,
    response: {
      clientDataJSON: toText(found.response.clientDataJSON),
      authenticatorData: toText(found.response.authenticatorData),
      signature: toText(found.response.signature),
      userHandle: found.response.userHandle ? toText(found.response.userHandle) : "",
    },
  };
}

function tell(form, name) {
  for (const message of form.querySelectorAll("[data-message]")) {
    message.hidden = message.dataset.message !== name;
  }
}

function trouble(error) {
  if (error instanceof Refusal) return error.status === 429 ? "limited" : "refused";
  if (error.name === "InvalidStateError") return "known";
  return error.name === "NotAllowedError" || error.name === "AbortError" ? "cancelled" : "broken";
}

async function run(form) {
  const sent = Object.fromEntries(new FormData(form));
  const asked = await ask(form.dataset.begin, sent);
  const answer = await (form.dataset.passkey === "create" ? create : get)(asked.options);
  const done = await ask(form.dataset.finish, { ...sent, user: asked.user, answer });
  window.location.assign(done.next);
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  if (!window.PublicKeyCredential) {
    tell(form, "unsupported");
    continue;
  }
  button.disabled = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    tell(form, "waiting");
    run(form)
      .catch((error) => tell(form, trouble(error)))
      .finally(() => { button.disabled = false; });
  });
}
