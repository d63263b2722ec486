// Verify the code printed on a licence, in the browser: strict CBOR, one signature, no network.
//
// The same rules as credentials.printed_code, in the same order, with the same reasons; the tests hold both to the
// same verdicts. `list` is what /v1/credential-issuers gives: keys whose certificate paths the server judged.

const MAX_TEXT = 1000, MAX_DEPTH = 16;
const SIGN1_TAG = 18, CWT_TAG = 61, ALG = 1, KID = 4, KID_BYTES = 8;
const ISS = 1, EXP = 4, NBF = 5, IAT = 6, LICENCE = -65537;
const TYPE = 1, SERIAL = 2, VERSION = 3, FIELDS = 4, START = 1, DIGEST = 2, DIGEST_BYTES = 12;
const MAX_FIELDS = 16, MAX_FIELD_CHARACTERS = 400, MAX_LIST_ITEMS = 50;
const END_OF_CALENDAR = 253402300800;
const UNSEEN = new RegExp(
  "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e" +
  "\\u2060-\\u206f\\u3164\\ud800-\\uf8ff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\uffff\\u{e0000}-\\u{10ffff}]", "u");
const ALGORITHMS = new Map([
  [-7, ["ES256", "P-256"]], [-9, ["ES256", "P-256"]], [-35, ["ES384", "P-384"]], [-51, ["ES384", "P-384"]],
  [-8, ["Ed25519", "Ed25519"]], [-19, ["Ed25519", "Ed25519"]],
]);
const ROOT = "1.2.156.3005.2", BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
// What counts for today only: the code itself may be genuine all the same.
const TODAY = new Set(["expired", "not_yet_valid", "status_not_asked", "revocation_stale",
  "issuer_permission_withdrawn", "issuer_permission_suspended"]);

class Malformed extends Error {}

/** Bytes of base64url text in its one form. */
export function fromBase64url(text) {
  const spare = text.length % 4;
  if (spare === 1 || !/^[A-Za-z0-9_-]*$/.test(text)) throw new Malformed();
  if (spare === 2 && !"AQgw".includes(text.at(-1))) throw new Malformed();
  if (spare === 3 && !"AEIMQUYcgkosw048".includes(text.at(-1))) throw new Malformed();
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

class Tagged {
  constructor(number, value) { this.number = number; this.value = value; }
}

/** The one value that these bytes are (RFC 8949, 4.2.1); maps are Map, byte strings Uint8Array. */
export function decode(bytes, { tags = [], ordered = true } = {}) {
  let place = 0;
  const take = (size) => {
    if (size > bytes.length - place) throw new Malformed();
    place += size;
    return bytes.subarray(place - size, place);
  };
  const argumentOf = (kind) => {
    if (kind < 24) return kind;
    if (kind > 27) throw new Malformed();
    const width = 1 << (kind - 24);
    let number = 0n;
    for (const byte of take(width)) number = number << 8n | BigInt(byte);
    if (number < [24n, 1n << 8n, 1n << 16n, 1n << 32n][kind - 24]) throw new Malformed();
    return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number;
  };
  const negative = (number) => typeof number === "bigint" ? -1n - number : -1 - number;
  const size = (number) => {
    if (typeof number === "bigint") throw new Malformed();
    return number;
  };
  const nested = (major, argument, depth) => {
    if (depth < 0) throw new Malformed();
    if (major === 6) {
      if (!tags.includes(argument)) throw new Malformed();
      return new Tagged(argument, item(depth));
    }
    const count = size(argument);
    if ((major === 5 ? 2 * count : count) > bytes.length - place) throw new Malformed();
    return major === 4 ? Array.from({ length: count }, () => item(depth)) : mapOf(count, depth);
  };
  const mapOf = (count, depth) => {
    const answer = new Map();
    let before = new Uint8Array();
    for (let index = 0; index < count; index += 1) {
      const start = place;
      if (![0, 1, 3].includes(bytes[start] >> 5)) throw new Malformed();
      const key = item(0);
      const here = bytes.subarray(start, place);
      if (answer.has(key) || (ordered && compare(here, before) <= 0)) throw new Malformed();
      before = here;
      answer.set(key, item(depth));
    }
    return answer;
  };
  const item = (depth) => {
    const [first] = take(1);
    const major = first >> 5;
    if (major === 7) {
      if (first === 0xf4 || first === 0xf5) return first === 0xf5;
      if (first === 0xf6) return null;
      throw new Malformed();  // no number with a fraction has a place in a code
    }
    const argument = argumentOf(first & 31);
    if (major === 0) return argument;
    if (major === 1) return negative(argument);
    if (major === 2) return take(size(argument));
    if (major === 3) return textOf(take(size(argument)));
    return nested(major, argument, depth - 1);
  };
  const value = item(MAX_DEPTH);
  if (place !== bytes.length) throw new Malformed();
  return value;
}

function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed();
  }
}

function compare(one, other) {
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    if (one[index] !== other[index]) return one[index] - other[index];
  }
  return one.length - other.length;
}

/** Address and content of a code's text. */
export function split(text) {
  if (typeof text !== "string") throw new Malformed();
  if ([...text].length > MAX_TEXT) throw new Malformed();
  const mark = text.indexOf("#");
  const address = mark < 0 ? text : text.slice(0, mark);
  if (mark < 0 || !/^https?:\/\/[^/]/i.test(address)) throw new Malformed();
  return [address, text.slice(mark + 1)];
}

/** What a code says; nothing in it is trustworthy yet. */
export function read(content) {
  const outer = decode(fromBase64url(content), { tags: [CWT_TAG, SIGN1_TAG] });
  if (!(outer instanceof Tagged) || outer.number !== CWT_TAG || !(outer.value instanceof Tagged)) throw new Malformed();
  const message = outer.value.value;
  if (outer.value.number !== SIGN1_TAG || !Array.isArray(message) || message.length !== 4) throw new Malformed();
  const [sent, unprotected, payload, signature] = message;
  const isBytes = (value) => value instanceof Uint8Array;
  if (!isBytes(sent) || !isBytes(signature) || !(unprotected instanceof Map)) throw new Malformed();
  if (!isBytes(payload) && payload !== null) throw new Malformed();
  const header = sent.length ? decode(sent, { ordered: false }) : new Map();
  if (!(header instanceof Map) || header.size !== 2 || unprotected.size) throw new Malformed();
  const algorithm = header.get(ALG), kid = header.get(KID);
  if (typeof algorithm !== "number" && typeof algorithm !== "bigint") throw new Malformed();
  if (!isBytes(kid) || kid.length !== KID_BYTES || payload === null) throw new Malformed();
  decode(sent);
  return { algorithm, kid, sent, payload, signature, ...claimsOf(decode(payload)) };
}

function claimsOf(claims) {
  if (!(claims instanceof Map) || ![ISS, IAT, LICENCE].every((key) => claims.has(key))) throw new Malformed();
  for (const key of claims.keys()) if (![ISS, EXP, NBF, IAT, LICENCE].includes(key)) throw new Malformed();
  for (const key of [IAT, NBF, EXP]) {
    if (claims.has(key) && !isWhole(claims.get(key), 0, END_OF_CALENDAR - 1)) throw new Malformed();
  }
  const inner = claims.get(LICENCE);
  if (!(inner instanceof Map) || inner.size !== 4) throw new Malformed();
  if (![TYPE, SERIAL, VERSION, FIELDS].every((key) => inner.has(key))) throw new Malformed();
  const [type, serial, version] = [TYPE, SERIAL, VERSION].map((key) => inner.get(key));
  const agency = claims.get(ISS);
  if (!isWhole(version, 1, 999) || !matches(type, /^[0-9A-Z]{21}$/) || !matches(serial, /^[0-9A-Z]{1,64}$/)) {
    throw new Malformed();
  }
  if (!matches(agency, /^(?:[0-9A-Z]{18}|[0-9]{6})$/)) throw new Malformed();
  return {
    agency, type, version, identifier: identifierOf(type, agency, serial, String(version).padStart(3, "0")),
    issuedAt: claims.get(IAT), notBefore: claims.get(NBF), expiresAt: claims.get(EXP),
    fields: fieldsOf(inner.get(FIELDS)),
  };
}

const isWhole = (value, least, most) => typeof value === "number" && value >= least && value <= most;
const matches = (value, form) => typeof value === "string" && form.test(value);

/** The identifier of GB/T 36904 with its check character (ISO 7064 MOD 37,36). */
function identifierOf(...parts) {
  let product = 36;
  for (const letter of parts.join("")) product = ((product + BASE36.indexOf(letter)) % 36 || 36) * 2 % 37;
  return [ROOT, ...parts, BASE36[(37 - product) % 36]].join(".");
}

function fieldsOf(fields) {
  if (!(fields instanceof Map) || fields.size < 1 || fields.size > MAX_FIELDS) throw new Malformed();
  for (const [name, value] of fields) {
    if (!matches(name, /^[a-z][a-z0-9_]{0,39}$/)) throw new Malformed();
    checkField(value);
  }
  return fields;
}

function checkField(value) {
  if (typeof value === "string") return checkText(value, 1);
  if (Array.isArray(value) && value.length >= 1 && value.length <= MAX_LIST_ITEMS) {
    return value.forEach((one) => checkText(one, 1));
  }
  if (!(value instanceof Map) || value.size !== 2 || !value.has(START)) throw new Malformed();
  const digest = value.get(DIGEST);
  if (!(digest instanceof Uint8Array) || digest.length !== DIGEST_BYTES) throw new Malformed();
  return checkText(value.get(START), 0);
}

function checkText(value, least) {
  const size = typeof value === "string" ? [...value].length : -1;
  if (size < least || size > MAX_FIELD_CHARACTERS || UNSEEN.test(value)) throw new Malformed();
}

/**
 * The verdict on a code's whole text, at `now` (seconds since 1970).
 *
 * `reasons` are codes of the reference page; `code` is what a genuine code says, null for any other. How the licence
 * stands today is never known here: `status_not_asked` says so.
 */
export async function verify(text, list, now) {
  try {
    const [address, content] = split(text);
    if (!list.addresses.includes(address)) return verdict(list, ["address_not_trusted"]);
    const code = read(content);
    const found = await signerOf(code, list);
    if (found.reason) return verdict(list, [found.reason]);
    return verdict(list, reasonsOf(code, found.issuer, list, now), code, found.issuer);
  } catch (error) {
    if (error instanceof Malformed) return verdict(list, ["printed_code_malformed"]);
    throw error;
  }
}

async function signerOf(code, list) {
  const candidates = list.issuers.filter((issuer) => compare(fromBase64url(issuer.kid), code.kid) === 0);
  if (!candidates.length) return { reason: "signing_certificate_missing" };
  const [name, kind] = ALGORITHMS.get(code.algorithm) ?? [];
  const fitting = candidates.filter((issuer) => issuer.jwk.crv === kind);
  if (!fitting.length || !list.algorithms.includes(name)) return { reason: "algorithm_not_allowed" };
  for (const issuer of fitting) {
    if (await isSignedBy(code, issuer.jwk, kind)) return { issuer };
  }
  return { reason: "sig_crypto_failure" };
}

async function isSignedBy(code, jwk, kind) {
  const elliptic = kind !== "Ed25519";
  const algorithm = elliptic ? { name: "ECDSA", namedCurve: kind } : { name: "Ed25519" };
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  const how = elliptic ? { name: "ECDSA", hash: kind === "P-256" ? "SHA-256" : "SHA-384" } : algorithm;
  return crypto.subtle.verify(how, key, code.signature, signedBytes(code));
}

/** Sig_structure (RFC 9052, 4.4). */
function signedBytes({ sent, payload }) {
  const title = new TextEncoder().encode("Signature1");
  const parts = [[0x84], head(3, title.length), title, head(2, sent.length), sent, [0x40], head(2, payload.length), payload];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function head(major, size) {
  if (size < 24) return [major << 5 | size];
  return size < 256 ? [major << 5 | 24, size] : [major << 5 | 25, size >> 8, size & 255];
}

function reasonsOf(code, issuer, list, now) {
  const found = new Set(issuer.reasons);
  if (code.issuedAt < issuer.not_before) found.add("certificate_not_yet_valid");
  if (code.issuedAt > issuer.not_after || now > issuer.not_after) found.add("certificate_expired");
  if (code.agency !== issuer.agency) found.add("issuer_mismatch");
  const objection = permission(code, issuer.listed, now);
  if (objection) found.add(objection);
  const late = now + list.clock_skew;
  if (code.issuedAt > late || (code.notBefore ?? 0) > late) found.add("not_yet_valid");
  if (code.expiresAt !== undefined && code.expiresAt <= now) found.add("expired");
  if (now >= list.expires_at) found.add("revocation_stale");
  found.add("status_not_asked");
  return [...found].sort();
}

/** What a trust list has against the issuer of this type: when it was issued, and today. */
function permission(code, listed, now) {
  if (!listed || listed.agency === null) return null;
  if (listed.agency !== code.agency) return "issuer_mismatch";
  const rows = listed.types[code.type] ?? [];
  const standing = (at) => rows.filter(([since]) => since <= at).at(-1)?.[1];
  if (standing(code.issuedAt) !== "granted") return "issuer_not_permitted";
  const today = standing(now);
  if (today === "withdrawn") return "issuer_permission_withdrawn";
  return today === "suspended" ? "issuer_permission_suspended" : null;
}

function verdict(list, reasons, code = null, issuer = null) {
  const then = worst(list, reasons.filter((one) => !TODAY.has(one)));
  const isGenuine = code !== null && then !== "failed";
  return {
    indication: worst(list, reasons), then, reasons,
    code: isGenuine ? code : null, issuer: isGenuine ? issuer : null,
  };
}

function worst(list, reasons) {
  const found = reasons.map((one) => list.reasons[one]?.indication ?? "failed");
  return ["failed", "indeterminate"].find((one) => found.includes(one)) ?? "passed";
}
