// The page of a model: a form made from its card, its samples, and the flow that makes them.
// Another script provides `ask(path, body, accept, signal)` and calls `present(card)`.
"use strict";

const at = (id) => document.getElementById(id);
const FRAMES = 33;
const MOST_NUMBERS = 4000000;
const SECONDS = 3;

let card = null;
let drawn = null; // The last answer, with what was asked for.
let playing = null;
let waiting = null; // What aborts the request that is on its way.

function say(text, wrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", wrong);
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

const counted = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;

// The card and the form

/** Shows a model, whose card says what it can be asked, and draws from it. */
async function present(described) {
  card = described;
  drawn = null;
  at("view").hidden = false;
  document.title = card.name || "flow";
  at("name").textContent = card.name || "A model";
  at("about").textContent = card.about;
  showCard();
  makeForm();
  await draw();
}

function showCard() {
  const list = at("card");
  const line = (name, value) => {
    if (value !== "" && value !== undefined) list.append(element("dt", name), element("dd", value));
  };
  list.replaceChildren();
  line("rows", `shape [${card.shape.join(", ")}]`);
  if (card.classes) line("classes", card.class_names.join(", ") || String(card.classes));
  line("draws", card.columns.map((column) => column.name).join(", "));
  line("is told", card.given.map((column) => column.name).join(", "));
  line("network", `${card.network}, ${card.parameters.toLocaleString("en")} parameters`);
  line("path", `${word(card.path.schedule)}, predicts ${word(card.path.predicts)}, starts from ` +
    card.path.starts_from);
  const { sampler, solver, steps } = card.sample;
  line("sampled by", sampler === "ode" ? `ode by ${solver}` : `${sampler}, ${steps} steps`);
  const made = Object.entries(card.made).map(([key, value]) => `${key} ${value}`);
  line("made by", made.join(", "));
  const { n, steps: most, seconds } = card.limits;
  const time = seconds === undefined ? "" : `, ${seconds} seconds`;
  line("a request", `at most ${n} rows, ${most} steps${time}`);
  line("flow", card.version);
}

const word = (choice) => (typeof choice === "string" ? choice : choice.kind);

function makeForm() {
  const told = at("conditions");
  for (const field of told.querySelectorAll("label, input, select")) field.remove();
  const add = (label, field) => {
    field.id = `told-${told.children.length}`;
    const name = element("label", label);
    name.htmlFor = field.id;
    told.append(name, field);
  };
  if (card.classes) {
    const select = element("select");
    select.dataset.told = "class";
    select.append(new Option("all in turn", ""));
    for (let i = 0; i < card.classes; i++) {
      select.append(new Option(card.class_names[i] ?? String(i), String(i)));
    }
    add("Class", select);
  }
  for (const column of card.given) add(column.name, conditionOf(column));
  for (let i = 0; card.given.length === 0 && i < card.vector; i++) {
    const input = numberField(0);
    input.dataset.vector = String(i);
    add(`Condition ${i}`, input);
  }
  told.hidden = told.querySelector("label") === null;
  at("n").max = card.limits.n;
  at("n").value = Math.min(card.limits.n, card.picture && card.shape.length === 3 ? 36 : 300);
  at("steps").max = Math.min(64, card.limits.steps);
  at("guided").hidden = !card.guidance || !(card.classes || card.vector);
  at("guidance").value = card.sample.guidance;
  at("png").hidden = !card.picture;
  const names = numberNames();
  at("axes").hidden = card.shape.length !== 1 || names.length < 3;
  for (const [id, chosen] of [["x", 0], ["y", 1]]) {
    at(id).replaceChildren(...names.map((name, i) => new Option(name, String(i))));
    at(id).value = String(Math.min(chosen, names.length - 1));
  }
  showNumbers();
}

function numberField(value) {
  const input = element("input");
  input.type = "number";
  input.step = "any";
  input.value = value;
  return input;
}

/** A field for what a column may hold. */
function conditionOf(column) {
  let field;
  if (column.values) {
    field = element("select");
    if (column.may_be_missing) field.append(new Option("not known", ""));
    field.append(...column.values.map((value) => new Option(value, value)));
  } else {
    const middle = (column.min + column.max) / 2;
    field = numberField(column.kind === "integer" ? Math.round(middle) : +middle.toPrecision(4));
    if (column.kind === "integer") field.step = "1";
    field.title = `from ${column.min} to ${column.max} among the rows of the training`;
    field.required = !column.may_be_missing;
  }
  field.dataset.given = column.name;
  return field;
}

/** What the numbers of a row are called. */
function numberNames() {
  if (card.shape.length !== 1) return [];
  if (card.columns.length === 0) return Array.from({ length: card.shape[0] }, (_, i) => `x${i}`);
  return card.columns.flatMap((column) =>
    column.kind === "category" ? column.values.map((value) => `${column.name} = ${value}`)
      : [column.name]);
}

function showNumbers() {
  const steps = Number(at("steps").value);
  at("steps-shown").textContent = steps === 0 ? "the model's own" : String(steps);
  at("guidance-shown").textContent = Number(at("guidance").value).toFixed(1);
}

/** What the form asks for, without the states along the way. */
function asked() {
  const body = { n: Number(at("n").value), seed: Number(at("seed").value) };
  if (at("solver").value) body.solver = at("solver").value;
  const steps = Number(at("steps").value);
  if (steps !== 0) body.steps = steps;
  const guidance = Number(at("guidance").value);
  if (!at("guided").hidden && guidance !== card.sample.guidance) body.guidance = guidance;
  const choice = document.querySelector("[data-told=class]");
  if (choice?.value) body.class = Number(choice.value);
  const given = [...document.querySelectorAll("[data-given]")];
  if (given.length) {
    const value = (field) => (field.value === "" ? null
      : field.tagName === "SELECT" ? field.value : Number(field.value));
    body.given = Object.fromEntries(given.map((field) => [field.dataset.given, value(field)]));
  }
  const numbers = [...document.querySelectorAll("[data-vector]")];
  if (numbers.length) {
    const vector = numbers.map((field) => Number(field.value));
    body.vectors = Array.from({ length: body.n }, () => vector);
  }
  return body;
}

// Drawing

async function draw() {
  if (!at("ask").reportValidity()) return;
  waiting?.abort();
  const own = new AbortController();
  waiting = own;
  const body = asked();
  const size = card.shape.reduce((a, b) => a * b, 1);
  const frames = Math.min(FRAMES, Math.floor(MOST_NUMBERS / (body.n * size)) - 1);
  const keep = frames < 2 ? [] : Array.from({ length: frames }, (_, i) => i / (frames - 1));
  at("draw").disabled = true;
  say("Drawing ...");
  const started = performance.now();
  try {
    const answer = await ask("/v1/sample", { ...body, keep }, "application/json", own.signal);
    drawn = { answer, body };
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    const calls = counted(Math.round(answer.nfe), "network evaluation");
    say(`${counted(answer.shape[0], "sample")}, ${calls} each, ${seconds} s.`);
    at("flow").hidden = keep.length === 0;
    at("saves").hidden = false;
    limitsOf(answer);
    showTable(answer);
    show();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, true);
  }
  if (waiting === own) {
    waiting = null;
    at("draw").disabled = false;
  }
}

function showTable({ columns, rows }) {
  const box = at("table");
  box.hidden = columns === undefined;
  if (!columns) return;
  const cell = (value) => {
    const made = element("td", value === null ? "" : String(value));
    if (typeof value === "string") made.className = "word";
    return made;
  };
  const line = (row) => element("tr", undefined, ...row.map(cell));
  const head = element("tr", undefined, ...columns.map((name) => element("th", name)));
  box.replaceChildren(element("table", undefined,
    element("thead", undefined, head),
    element("tbody", undefined, ...rows.slice(0, 200).map(line))));
}

let limits = [];

/** The range of each number over all that is shown, so that the axes stand still. */
function limitsOf({ states, rows, columns }) {
  if (card.shape.length !== 1) return;
  const all = states ? [states[0], states[states.length - 1]] : columns ? [] : [rows];
  limits = Array.from({ length: card.shape[0] }, (_, k) => {
    const values = all.flat().map((row) => row[k]);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const margin = 0.05 * (high - low || 1);
    return [low - margin, high + margin];
  });
}

/** The rows at the time of the slider, between the two states around it. */
function rowsAt(t) {
  const { states, rows, columns } = drawn.answer;
  if (!states) return columns ? [] : rows;
  const place = t * (states.length - 1);
  const before = Math.min(Math.floor(place), states.length - 2);
  const share = place - before;
  const [a, b] = [states[before], states[before + 1]];
  return a.map((row, i) => row.map((x, k) => x + share * (b[i][k] - x)));
}

function show() {
  if (!drawn) return;
  const t = Number(at("t").value);
  at("t-shown").textContent = t.toFixed(2);
  const rows = rowsAt(t);
  if (card.shape.length === 3) pictures(rows);
  else if (card.shape.length === 1 && 1 < card.shape[0]) cloud(rows);
  else if (card.shape.length === 1) histogram(rows);
  else at("view").hidden = true;
}

/** A canvas of some sides in the page's pixels, cleared. */
function canvas(width, height, view = at("view")) {
  const scale = window.devicePixelRatio || 1;
  view.style.height = `${height}px`;
  view.width = Math.round(width * scale);
  view.height = Math.round(height * scale);
  const pen = view.getContext("2d");
  pen.scale(scale, scale);
  return pen;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

function colorOf(i) {
  const { classes } = drawn.answer;
  if (!classes) return color("--dot");
  return `hsl(${(360 * classes[i]) / card.classes} 65% 55%)`;
}

function axes(pen, width, height, [x0, x1], [y0, y1]) {
  const left = 42, bottom = 22;
  const px = (x) => left + ((x - x0) / (x1 - x0)) * (width - left - 8);
  const py = (y) => height - bottom - ((y - y0) / (y1 - y0)) * (height - bottom - 8);
  pen.strokeStyle = color("--line");
  pen.fillStyle = color("--faint");
  pen.font = "11px system-ui, sans-serif";
  for (const x of ticks(x0, x1)) {
    pen.beginPath(); pen.moveTo(px(x), 8); pen.lineTo(px(x), height - bottom); pen.stroke();
    pen.textAlign = "center";
    pen.fillText(String(x), px(x), height - 7);
  }
  for (const y of ticks(y0, y1)) {
    pen.beginPath(); pen.moveTo(left, py(y)); pen.lineTo(width - 8, py(y)); pen.stroke();
    pen.textAlign = "right";
    pen.fillText(String(y), left - 5, py(y) + 4);
  }
  return [px, py];
}

function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => rough <= k);
  const made = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) made.push(+(i * step).toPrecision(6));
  return made;
}

function cloud(rows) {
  const numbers = at("axes").hidden ? [0, 1] : [Number(at("x").value), Number(at("y").value)];
  scatter(at("view"), rows, numbers, numbers.map((k) => limits[k]), colorOf);
}

/** A dot for each row at two of its numbers. */
function scatter(view, rows, [x, y], [across, up], paint) {
  const width = view.clientWidth;
  const height = Math.min(width, 520);
  const pen = canvas(width, height, view);
  const [px, py] = axes(pen, width, height, across, up);
  pen.globalAlpha = rows.length < 1000 ? 0.75 : 0.4;
  rows.forEach((row, i) => {
    pen.fillStyle = paint(i);
    pen.beginPath();
    pen.arc(px(row[x]), py(row[y]), rows.length < 1000 ? 2.6 : 1.6, 0, 2 * Math.PI);
    pen.fill();
  });
}

function histogram(rows) {
  const width = at("view").clientWidth;
  const height = Math.min(width, 360);
  const pen = canvas(width, height);
  const [low, high] = limits[0];
  const cells = new Array(40).fill(0);
  for (const [x] of rows) {
    cells[Math.min(39, Math.max(0, Math.floor((40 * (x - low)) / (high - low))))] += 1;
  }
  const [px, py] = axes(pen, width, height, limits[0], [0, 1.05 * Math.max(...cells, 1)]);
  pen.fillStyle = color("--dot");
  cells.forEach((count, i) => {
    const from = px(low + (i * (high - low)) / 40);
    const to = px(low + ((i + 1) * (high - low)) / 40);
    pen.fillRect(from, py(count), to - from - 1, py(0) - py(count));
  });
}

/** Images from -1 to 1 as sharp squares in a grid. */
function pictures(rows) {
  const [c, h, w] = card.shape;
  const columns = Math.ceil(Math.sqrt(rows.length));
  const lines = Math.ceil(rows.length / columns);
  const made = document.createElement("canvas");
  made.width = columns * (w + 1) - 1;
  made.height = lines * (h + 1) - 1;
  const pen = made.getContext("2d");
  const plane = h * w;
  rows.forEach((row, i) => {
    const image = pen.createImageData(w, h);
    for (let p = 0; p < plane; p++) {
      for (let k = 0; k < 3; k++) {
        image.data[4 * p + k] = 127.5 * (row[(c === 1 ? 0 : k) * plane + p] + 1);
      }
      image.data[4 * p + 3] = 255;
    }
    pen.putImageData(image, (i % columns) * (w + 1), Math.floor(i / columns) * (h + 1));
  });
  const width = at("view").clientWidth;
  const height = (width * made.height) / made.width;
  const view = canvas(width, height);
  view.imageSmoothingEnabled = false;
  view.drawImage(made, 0, 0, width, height);
}

// The flow as it moves

function play() {
  if (playing !== null) {
    cancelAnimationFrame(playing);
    playing = null;
    at("play").textContent = "Play";
    return;
  }
  at("play").textContent = "Stop";
  const from = Number(at("t").value) < 1 ? Number(at("t").value) : 0;
  let began = null;
  const step = (now) => {
    began ??= now;
    const t = Math.min(1, from + (now - began) / 1000 / SECONDS);
    at("t").value = String(t);
    show();
    playing = t < 1 ? requestAnimationFrame(step) : null;
    if (playing === null) at("play").textContent = "Play";
  };
  playing = requestAnimationFrame(step);
}

async function save(button) {
  try {
    const blob = await ask("/v1/sample", drawn.body, button.dataset.accept);
    const file = blob instanceof Blob ? blob : new Blob([JSON.stringify(blob)]);
    const link = element("a");
    link.href = URL.createObjectURL(file);
    link.download = button.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (error) {
    say(error.message, true);
  }
}

at("ask").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
at("another").addEventListener("click", () => {
  at("seed").value = String(Number(at("seed").value) + 1);
  draw();
});
for (const id of ["steps", "guidance"]) {
  at(id).addEventListener("input", showNumbers);
  at(id).addEventListener("change", draw);
}
for (const id of ["x", "y", "t"]) at(id).addEventListener("input", show);
at("play").addEventListener("click", play);
at("saves").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) save(button);
});
window.addEventListener("resize", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
