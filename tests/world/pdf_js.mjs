// What pdf.js shows of the files whose places come in, one a line: pictures, texts and fields as JSON.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, scale, most] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const home = join(modules, "node_modules", "pdfjs-dist");
console.log = console.warn = console.info = () => {};
const { createCanvas } = createRequire(pathToFileURL(join(home, "x.js")))("@napi-rs/canvas");
const pdfjs = await import(pathToFileURL(join(home, "legacy", "build", "pdf.mjs")));

async function look(page) {
  const viewport = page.getViewport({ scale });
  const canvas = createCanvas(Math.max(1, Math.ceil(viewport.width)), Math.max(1, Math.ceil(viewport.height)));
  await page.render({ canvas, viewport }).promise;
  const picture = createHash("sha256").update(canvas.data()).digest("hex").slice(0, 16);
  const text = (await page.getTextContent()).items.map((item) => item.str).join("|");
  const notes = (await page.getAnnotations())
    .filter((note) => note.fieldType && note.fieldType !== "Sig")
    .map((note) => [note.fieldName, note.fieldValue, note.hidden]);
  return [picture, `${canvas.width}x${canvas.height}`, text, JSON.stringify(notes)];
}

for await (const line of createInterface({ input: process.stdin })) {
  const seen = [];
  let task;
  try {
    task = pdfjs.getDocument({
      data: new Uint8Array(readFileSync(line)),
      isEvalSupported: false,
      standardFontDataUrl: join(home, "standard_fonts") + "/",
      cMapUrl: join(home, "cmaps") + "/",
      verbosity: 0,
    });
    const document = await task.promise;
    for (let number = 1; number <= Math.min(most, document.numPages); number += 1)
      seen.push(...(await look(await document.getPage(number))));
    seen.push(String(document.numPages), JSON.stringify(await document.getPageLabels()));
  } catch (problem) {
    seen.push(`error ${problem.name}`);
  }
  try {
    await task.destroy();
  } catch {}
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}
