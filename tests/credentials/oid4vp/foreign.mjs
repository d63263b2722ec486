// Both sides of other makers: @openid4vc/openid4vp with jose. One JSON object in, one out.
import { X509Certificate, createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const task = JSON.parse(process.argv[2]);
const load = (name) => import(pathToFileURL(createRequire(`${task.modules}/`).resolve(name)).href);
const { Openid4vpClient, Openid4vpVerifier } = await load("@openid4vc/openid4vp");
const { HashAlgorithm } = await load("@openid4vc/oauth2");
const jose = await load("jose");

// The story has its own time.
const RealDate = Date;
const offset = task.now * 1000 - RealDate.now();
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length) super(...given);
    else super(RealDate.now() + offset);
  }
  static now() {
    return RealDate.now() + offset;
  }
};

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const compact = (header, payload, key) => {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
};
const key = task.key && createPrivateKey({ key: task.key, format: "jwk" });
const certificateOf = (text) => new X509Certificate(Buffer.from(text, "base64"));
const callbacks = {
  fetch: (url, init) => fetch(String(url).replace(task.url, task.base), init),
  hash: (data, alg) => createHash(alg === HashAlgorithm.Sha512 ? "sha512" : "sha256").update(data).digest(),
  generateRandom: (size) => randomBytes(size),
  getX509CertificateMetadata: (text) => {
    const names = (certificateOf(text).subjectAltName ?? "").split(", ");
    const of = (kind) => names.filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length));
    return { sanDnsNames: of("DNS:"), sanUriNames: of("URI:") };
  },
  signJwt: (signer, { header, payload }) => ({
    jwt: compact(header, payload, key),
    signerJwk: createPublicKey(key).export({ format: "jwk" }),
  }),
  verifyJwt: (signer, { compact: text }) => {
    const [head, body, signature] = text.split(".");
    const publicKey = certificateOf(signer.x5c[0]).publicKey;
    const good = { key: publicKey, dsaEncoding: "ieee-p1363" };
    const verified = verify("sha256", Buffer.from(`${head}.${body}`), good, Buffer.from(signature, "base64url"));
    return verified ? { verified, signerJwk: publicKey.export({ format: "jwk" }) } : { verified: false };
  },
  encryptJwe: async (encryptor, data) => ({
    encryptionJwk: encryptor.publicJwk,
    jwe: await new jose.CompactEncrypt(new TextEncoder().encode(data))
      .setProtectedHeader({
        alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid, apu: encryptor.apu, apv: encryptor.apv,
      })
      .setKeyManagementParameters({
        apu: encryptor.apu && jose.base64url.decode(encryptor.apu),
        apv: encryptor.apv && jose.base64url.decode(encryptor.apv),
      })
      .encrypt(await jose.importJWK(encryptor.publicJwk, encryptor.alg)),
  }),
  decryptJwe: async (text) => {
    const read = await jose.compactDecrypt(text, await jose.importJWK(task.decryptionKey, "ECDH-ES"));
    return { decrypted: true, payload: new TextDecoder().decode(read.plaintext), decryptionJwk: task.decryptionKey };
  },
};

// A wallet: resolve the request behind a link, present, submit.
async function wallet() {
  const client = new Openid4vpClient({ callbacks });
  const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: task.link });
  const asked = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params });
  const request = asked.authorizationRequestPayload;
  const [token, ...disclosures] = task.credential.split("~");
  const shown = disclosures.filter((one) => {
    const parts = one && JSON.parse(Buffer.from(one, "base64url"));
    return parts && task.disclose.includes(parts[1]);
  });
  const body = `${[token, ...shown].join("~")}~`;
  const claims = {
    iat: Math.floor(Date.now() / 1000), aud: request.client_id, nonce: request.nonce,
    sd_hash: createHash("sha256").update(body).digest("base64url"),
  };
  const presentation = body + compact({ alg: "ES256", typ: "kb+jwt" }, claims, key);
  const vp_token = Object.fromEntries(request.dcql_query.credentials.map((one) => [one.id, [presentation]]));
  const made = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: { vp_token },
    ...(request.response_mode === "direct_post.jwt" && {
      jarm: {
        encryption: { nonce: randomBytes(16).toString("base64url") },
        serverMetadata: {
          authorization_encryption_alg_values_supported: ["ECDH-ES"],
          authorization_encryption_enc_values_supported: [task.enc],
        },
      },
    }),
  });
  const sent = await client.submitOpenid4vpAuthorizationResponse({ authorizationRequestPayload: request, ...made });
  return { status: sent.response.status, mode: request.response_mode, client: asked.client.prefix, version: asked.version };
}

// A verifier: make a signed request, and read what our wallet answers.
async function ask() {
  const verifier = new Openid4vpVerifier({ callbacks });
  const made = await verifier.createOpenId4vpAuthorizationRequest({
    jar: { jwtSigner: { method: "x5c", alg: "ES256", x5c: task.x5c }, requestUri: task.requestUri, expiresInSeconds: 60 },
    authorizationRequestPayload: task.request,
  });
  return { link: made.authorizationRequest, requestObject: made.jar.authorizationRequestJwt };
}

async function read() {
  const verifier = new Openid4vpVerifier({ callbacks });
  const found = await verifier.parseOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: task.request, authorizationResponse: task.form, callbacks,
  });
  return { presentations: found.dcql.presentations };
}

console.log(JSON.stringify(await { wallet, ask, read }[task.do]()));
