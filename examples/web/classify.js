// Pictures are classified in the browser by a .tflite file that tfxfer exported: ?model=… names it.

import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";

const WASM = "node_modules/@litertjs/core/wasm/";
const NAMED = 10;
const SHOWN = 5;
const ONE = 2 ** 22;  // Pillow's filters count in fixed point

/** The files behind a model: a ZIP archive, whose list is at its end; none are compressed. */
function filesBehind(tflite) {
  const view = new DataView(tflite), text = new TextDecoder(), files = {};
  const list = tflite.byteLength - 22;
  if (list < 0 || view.getUint32(list, true) !== 0x06054b50) return files;
  let entry = view.getUint32(list + 16, true);
  for (let left = view.getUint16(list + 10, true); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map(at => view.getUint16(entry + at, true));
    const header = view.getUint32(entry + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    files[text.decode(new Uint8Array(tflite, entry + 46, name))] =
      new Uint8Array(tflite, start, view.getUint32(entry + 24, true));
    entry += 46 + name + extra + comment;
  }
  return files;
}

/** LiteRT.js 2.5.3 runs no model that leaves the number of pictures open: 1 is put there, in memory. */
function takeOnePicture(tflite) {
  const view = new DataView(tflite);
  const followed = place => place + view.getUint32(place, true);
  const field = (table, slot) => {
    const layout = table - view.getInt32(table, true), at = 4 + 2 * slot;
    const offset = at < view.getUint16(layout, true) ? view.getUint16(layout + at, true) : 0;
    return offset ? [followed(table + offset)] : [];
  };
  const items = list => Array.from({length: view.getUint32(list, true)}, (_, index) => list + 4 + 4 * index);
  const tables = (table, slot) => field(table, slot).flatMap(items).map(followed);
  for (const tensor of tables(followed(0), 2).flatMap(graph => tables(graph, 0))) {
    for (const size of field(tensor, 7).flatMap(items)) {  // its shape_signature
      if (view.getInt32(size, true) === -1) view.setInt32(size, 1, true);
    }
  }
}

/** What each pixel wanted takes of a line's from start to end, in Pillow's antialiased bilinear filter. */
function shares(length, start, end, wanted) {
  const scale = (end - start) / wanted, reach = Math.max(scale, 1);
  return Array.from({length: wanted}, (_, index) => {
    const centre = start + (index + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const count = Math.min(Math.trunc(centre + reach + 0.5), length) - first;
    const parts = Array.from({length: count}, (_, at) =>
      Math.max(1 - Math.abs((first + at - centre + 0.5) / reach), 0));
    const sum = parts.reduce((one, other) => one + other);
    return {first, parts: parts.map(part => Math.round(part / sum * ONE))};
  });
}

/** Filter the rows of a picture; comes out as RGB with its rows as columns, so that twice does both. */
function filtered(pixels, rows, columns, channels, wanted) {
  const out = new Uint8ClampedArray(wanted.length * rows * 3);
  let place = 0;
  for (const {first, parts} of wanted) {
    for (let row = 0; row < rows; row++) {
      for (let colour = 0; colour < 3; colour++) {
        let sum = ONE / 2, at = (row * columns + first) * channels + colour;
        for (const part of parts) {
          sum += part * pixels[at];
          at += channels;
        }
        out[place++] = Math.floor(sum / ONE);
      }
    }
  }
  return out;
}

/** A picture as training saw it: upright, on white, its middle or all of it, RGB of the size wanted. */
async function pixelsOf(picture, {height, width}, resize) {
  const bitmap = await createImageBitmap(picture, {colorSpaceConversion: "none"});
  const {width: columns, height: rows} = bitmap;
  const canvas = new OffscreenCanvas(columns, rows).getContext("2d", {willReadFrequently: true});
  canvas.fillStyle = "white";
  canvas.fillRect(0, 0, columns, rows);
  canvas.drawImage(bitmap, 0, 0);
  bitmap.close();
  const {data} = canvas.getImageData(0, 0, columns, rows);
  let [across, down] = [columns, rows];
  if (resize === "crop") {
    across = Math.min(columns, rows * width / height);
    down = Math.min(rows, columns * height / width);
  }
  const [left, top] = [(columns - across) / 2, (rows - down) / 2];
  const turned = filtered(data, rows, columns, 4, shares(columns, left, left + across, width));
  return filtered(turned, width, rows, 3, shares(rows, top, top + down, height));
}

/** A model that says of itself what its scores mean, and how pictures are brought to its size. */
class Classifier {
  static async load(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`the server has none (${answer.status}); ?model=… names another.`);
    const tflite = await answer.arrayBuffer(), files = filesBehind(tflite);
    if (!files["tfxfer.json"]) throw new Error("it is no .tflite file that tfxfer exported.");
    takeOnePicture(tflite);
    await loadLiteRt(WASM);
    const model = await loadAndCompile(new Uint8Array(tflite), {accelerator: "wasm"});
    return new Classifier(model, JSON.parse(new TextDecoder().decode(files["tfxfer.json"])), files);
  }

  constructor(model, facts, files) {
    Object.assign(this, {model, facts, files});
  }

  /** Scores, and where the model says so, how far the picture is from being none of the classes. */
  async outputs(pixels) {
    const {height, width, dtype} = this.facts.input;
    const numbers = dtype === "uint8" ? Uint8Array : Float32Array;
    const input = new Tensor(numbers.from(pixels), [1, height, width, 3]);
    const tensors = await this.model.run(input);
    const said = {};
    for (const [index, {shape}] of this.model.getOutputDetails().entries()) {
      const values = Array.from(await tensors[index].data());
      if (shape.length === 2) said.scores = values; else said.known = values[0];
    }
    [input, ...tensors].forEach(tensor => tensor.delete());
    return said;
  }

  async classify(picture) {
    return this.outputs(await pixelsOf(picture, this.facts.input, this.facts.resize));
  }

  /** How far scores of the pictures in the file are from those in it, at most. */
  async selfTest() {
    let most = 0;
    for (const {file, scores} of this.facts.golden) {
      const said = await this.classify(new Blob([this.files[file]], {type: "image/png"}));
      said.scores.forEach((score, index) => { most = Math.max(most, Math.abs(score - scores[index])); });
    }
    return most;
  }

  /** The answer in words, and names with their scores, the highest first. */
  told({scores, known}) {
    const named = this.facts.labels.map((label, index) => [label, scores[index]]);
    if (this.facts.task === "regression") {
      return [named.map(([name, number]) => `${name} ${short(number)}`).join(", "), named];
    }
    const sorted = named.toSorted(([, one], [, other]) => other - one);
    if (this.facts.task === "multi_label") {
      const labels = named.filter(([, score]) => score >= 0.5).map(([label]) => label);
      return [labels.join(", ") || "no label", sorted];
    }
    return [known < 0 ? `${sorted[0][0]} (none of these, it seems)` : sorted[0][0], sorted];
  }
}

const short = number => String(+number.toPrecision(6));

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function row([label, score], task) {
  const cells = [element("th", {scope: "row"}, label)];
  if (task === "regression") {
    cells.push(element("td", {}, short(score)));
  } else {
    const bar = element("meter", {value: score, ariaHidden: "true"});
    cells.push(element("td", {}, `${(100 * score).toFixed(1)} %`), element("td", {}, bar));
  }
  return element("tr", {}, ...cells);
}

/** Show one picture, and beside it what the model says, or why it says nothing. */
async function show(classifier, picture, answers) {
  const image = element("img", {alt: "", src: URL.createObjectURL(picture)});
  image.onload = () => URL.revokeObjectURL(image.src);
  const answer = element("div", {}, element("p", {}, picture.name));
  const article = element("article", {ariaBusy: "true", ariaLabel: picture.name}, image, answer);
  answers.append(article);
  try {
    const [words, scores] = classifier.told(await classifier.classify(picture));
    const rows = scores.slice(0, SHOWN).map(each => row(each, classifier.facts.task));
    answer.prepend(element("h2", {}, words));
    answer.append(element("table", {}, ...rows));
  } catch (error) {
    image.remove();
    answer.append(element("p", {}, `This browser cannot read it: ${error.message}`));
  }
  article.ariaBusy = "false";
}

async function start() {
  const [state, drop, files, answers] =
    ["state", "drop", "files", "answers"].map(id => document.getElementById(id));
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(name, event => {
      event.preventDefault();
      drop.classList.toggle("over", over);
    });
  }
  const url = new URLSearchParams(location.search).get("model") ?? "model.tflite";
  try {
    const classifier = await Classifier.load(url), {facts} = classifier;
    const off = await classifier.selfTest();
    const named = facts.labels.slice(0, NAMED).join(", ") + (facts.labels.length > NAMED ? ", …" : "");
    state.textContent = `${facts.name} tells ${named}. ` +
      `On the pictures that came with it, scores are off by ${off.toPrecision(1)} at most.`;
    let done = Promise.resolve();
    const showAll = pictures => {
      done = done.then(async () => {
        answers.replaceChildren();
        for (const picture of pictures) await show(classifier, picture, answers);
      });
    };
    files.addEventListener("change", () => showAll([...files.files]));
    drop.addEventListener("drop", event => showAll([...event.dataTransfer.files]));
    files.disabled = false;
  } catch (error) {
    state.textContent = `${url} does not run here: ${error.message}`;
  }
}

start();
