// Answers DCQL questions, one JSON text per line, with the npm package dcql.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { DcqlQuery } = await import(pathToFileURL(require.resolve("dcql")).href);

for await (const line of createInterface({ input: process.stdin })) {
  const { query, credentials } = JSON.parse(line);
  let answer;
  try {
    const parsed = DcqlQuery.parse(query);
    DcqlQuery.validate(parsed);
    const found = DcqlQuery.query(parsed, credentials);
    const matches = {};
    for (const [id, match] of Object.entries(found.credential_matches)) {
      matches[id] = (match.valid_credentials ?? []).map((one) => [
        one.input_credential_index,
        one.claims.valid_claim_sets[0].claim_set_index ?? 0,
      ]);
    }
    answer = { satisfied: found.can_be_satisfied, matches };
  } catch (error) {
    answer = { refused: String(error.message).slice(0, 200) };
  }
  console.log(JSON.stringify(answer));
}
