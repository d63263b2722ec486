// Verifies SD-JWT VC presentations with key binding over HTTP: fastify and jose, one process.
//
//     node verifier.mjs CONFIG PORT
//
// The same questions and the same checks as tests/benchmarks/verifying.py: certificate chain (remembered by its
// text), issuer's signature, times, type, disclosures, key binding with audience, nonce, age and sd_hash, status from
// memory. YINXIN_NODE names the folder that holds node_modules.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = process.env.YINXIN_NODE;
const require = createRequire(path.join(root, "index.js"));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const fastify = (await load("fastify")).default;
const jose = await import(pathToFileURL(path.join(root, "node_modules/jose/dist/webapi/index.js")).href);

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const now = config.now;
const anchor = new X509Certificate(config.anchor);
const statuses = new Map(Object.entries(config.statuses).map(([uri, list]) => [uri, Buffer.from(list, "base64")]));
const sha256 = (text) => createHash("sha256").update(text).digest("base64url");
const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
const need = (good, reason) => {
  if (!good) throw new Error(reason);
};

const chains = new Map();
async function issuerKey(x5c) {
  const name = x5c.join();
  let key = chains.get(name);
  if (!key) {
    const chain = [...x5c.map((text) => new X509Certificate(Buffer.from(text, "base64"))), anchor];
    for (let i = 0; i < chain.length; i++) {
      need(chain[i].verify((chain[i + 1] ?? anchor).publicKey), "chain");
      need(Date.parse(chain[i].validFrom) / 1000 <= now && now <= Date.parse(chain[i].validTo) / 1000, "certificate time");
    }
    key = await jose.importX509(chain[0].toString(), "ES256");
    chains.set(name, key);
  }
  return key;
}

function reveal(claims, disclosures) {
  const byDigest = new Map(disclosures.map((text) => [sha256(text), read(text)]));
  need(byDigest.size === disclosures.length, "disclosure twice");
  const seen = new Set();
  const open = (node) => {
    if (Array.isArray(node)) {
      return node.flatMap((item) => {
        if (item === null || typeof item !== "object" || !("..." in item)) return [open(item)];
        const found = take(item["..."], 2);
        return found ? [open(found[1])] : [];
      });
    }
    if (node === null || typeof node !== "object") return node;
    const answer = {};
    for (const [name, value] of Object.entries(node)) {
      if (name !== "_sd" && name !== "_sd_alg") answer[name] = open(value);
    }
    for (const digest of node._sd ?? []) {
      const found = take(digest, 3);
      if (found) {
        need(!(found[1] in answer), "claim exists");
        answer[found[1]] = open(found[2]);
      }
    }
    return answer;
  };
  const take = (digest, size) => {
    need(!seen.has(digest), "digest twice");
    seen.add(digest);
    const found = byDigest.get(digest);
    if (found) need(Array.isArray(found) && found.length === size, "disclosure");
    byDigest.delete(digest);
    return found;
  };
  const answer = open(claims);
  need(byDigest.size === 0, "unreferenced disclosure");
  return answer;
}

async function verify({ presentation, nonce }) {
  const end = presentation.lastIndexOf("~") + 1;
  const [token, ...disclosures] = presentation.slice(0, end - 1).split("~");
  const signed = await jose.compactVerify(token, (header) => issuerKey(header.x5c), { algorithms: ["ES256"] });
  need(signed.protectedHeader.typ === "dc+sd-jwt", "typ");
  const payload = JSON.parse(Buffer.from(signed.payload));
  const claims = reveal(payload, disclosures);
  need(typeof claims.vct === "string", "vct");
  need(claims.iat <= now + 60 && now < claims.exp, "time");

  const holder = await jose.importJWK(claims.cnf.jwk, "ES256");
  const bound = await jose.compactVerify(presentation.slice(end), holder, { algorithms: ["ES256"] });
  need(bound.protectedHeader.typ === "kb+jwt", "key binding typ");
  const binding = JSON.parse(Buffer.from(bound.payload));
  need(binding.aud === config.audience && binding.nonce === nonce, "audience or nonce");
  need(Math.abs(now - binding.iat) <= 300, "key binding age");
  need(binding.sd_hash === sha256(presentation.slice(0, end)), "sd_hash");

  const { uri, idx } = claims.status.status_list;
  const list = statuses.get(uri);
  need(list && idx >= 0 && idx < list.length * 4, "status list");
  need(((list[idx >> 2] >> ((idx % 4) * 2)) & 3) === 0, "revoked");
  return claims;
}

const server = fastify({ logger: false });
server.post("/verify", async (request, reply) => {
  try {
    return { indication: "passed", claims: await verify(request.body) };
  } catch (error) {
    reply.code(422);
    return { indication: "failed", reason: String(error.message) };
  }
});
await server.listen({ port: Number(process.argv[3]), host: "127.0.0.1" });
console.log("ready");
