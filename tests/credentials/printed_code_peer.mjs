// Runs the page's own module over many codes: JSON in (list, now, codes), verdicts out.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const { verify } = await import(pathToFileURL(process.argv[2]));
const { list, now, codes } = JSON.parse(fs.readFileSync(0, "utf8"));
const said = [];
for (const [text, moment] of codes) {
  const found = await verify(text, list, moment ?? now);
  said.push([found.indication, found.then, found.reasons, found.code?.identifier ?? null, shown(found.code)]);
}
process.stdout.write(JSON.stringify(said));

function shown(code) {
  if (!code) return null;
  const plain = (value) => value instanceof Map ? value.get(1) : value;
  return Object.fromEntries([...code.fields].map(([name, value]) => [name, plain(value)]));
}
