// A toy in training: its loss and its samples while it learns.
"use strict";

const POINTS = 2000;
const FRAME = 60; // Milliseconds of training between two looks at it.
const BETWEEN = 400; // Milliseconds between samples of the moment.

const toy = {
  core: new Core(),
  turn: 0, // Counts trainings: what an earlier one still answers is left aside.
  begun: false,
  running: false,
  state: null,
  losses: [],
  data: [],
  samples: [],
  limits: null,
};

function tell(text, wrong = false) {
  at("toy-status").textContent = text;
  at("toy-status").classList.toggle("wrong", wrong);
}

async function begin() {
  toy.turn += 1;
  const number = (id) => Number(at(id).value);
  const recipe = {
    set: at("set").value, coupling: at("coupling").value, hidden: number("hidden"),
    steps: number("train-steps"), seed: number("train-seed"),
  };
  toy.state = await toy.core.json("/v1/train", recipe);
  toy.losses = [];
  toy.data = await toy.core.json("/v1/train/data", { count: POINTS });
  toy.limits = [0, 1].map((k) => {
    const values = toy.data.map((row) => row[k]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.15 * (high - low);
    return [low - margin, high + margin];
  });
  toy.begun = true;
  for (const id of ["use", "keep"]) at(id).disabled = false;
  await look();
}

/** Samples of the moment. */
async function look() {
  const body = {
    n: POINTS, seed: Number(at("train-seed").value), solver: at("toy-solver").value,
    steps: Number(at("toy-steps").value),
  };
  toy.samples = (await toy.core.json("/v1/train/sample", body)).rows;
  paint();
}

async function train() {
  const mine = toy.turn;
  toy.running = true;
  at("run").textContent = "Pause";
  let [count, looked, done, spent] = [1, performance.now(), 0, 0];
  while (toy.running && toy.state.step < toy.state.of) {
    const began = performance.now();
    const state = await toy.core.json("/v1/train/steps", { count });
    const took = performance.now() - began;
    if (mine !== toy.turn) return;
    toy.state = state;
    toy.losses.push(...toy.state.losses);
    [done, spent] = [done + toy.state.losses.length, spent + took];
    count = Math.min(500, Math.max(1, Math.round(count * Math.min(4, FRAME / took))));
    drawLoss();
    const { step, of, parameters } = toy.state;
    tell(`Step ${step} of ${of}, ${Math.round(1000 * done / spent)} steps a second, ` +
      `${parameters.toLocaleString("en")} parameters.`);
    if (BETWEEN < performance.now() - looked) {
      await look();
      looked = performance.now();
    }
  }
  toy.running = false;
  at("run").textContent = "Train";
  await look();
}

function paint() {
  if (!toy.limits || at("toy-panel").hidden) return;
  const [across, dot] = [color("--faint"), color("--dot")];
  const rows = [...toy.data, ...toy.samples];
  scatter(at("toy-view"), rows, [0, 1], toy.limits, (i) => (i < toy.data.length ? across : dot));
}

/** The mean loss of some steps at a time, as a line. */
function drawLoss() {
  const view = at("loss");
  if (at("toy-panel").hidden || view.clientWidth === 0) return;
  const [width, height] = [view.clientWidth, 180];
  const pen = canvas(width, height, view);
  const each = Math.max(1, Math.ceil(toy.losses.length / 300));
  const means = [];
  for (let i = 0; i < toy.losses.length; i += each) {
    const some = toy.losses.slice(i, i + each);
    means.push([i + some.length / 2, some.reduce((a, b) => a + b) / some.length]);
  }
  if (means.length < 2) return;
  const values = means.map(([, loss]) => loss);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = 0.08 * (high - low || 1);
  const [px, py] = axes(pen, width, height, [0, toy.losses.length], [low - margin, high + margin]);
  pen.strokeStyle = color("--dot");
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const [step, loss] of means) pen.lineTo(px(step), py(loss));
  pen.stroke();
}

/** Runs what may fail, and says why it did. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    toy.running = false;
    toy.begun = false;
    at("run").textContent = "Train";
    tell(error.message, true);
  }
}

async function model() {
  return toy.core.bytes("/v1/train/model");
}

at("train").addEventListener("submit", (event) => {
  event.preventDefault();
  if (toy.running) {
    toy.running = false;
    return;
  }
  guarded(async () => {
    if (!toy.begun || toy.state.step >= toy.state.of) await begin();
    await train();
  });
});
at("anew").addEventListener("click", () => guarded(async () => {
  toy.running = false;
  await begin();
  drawLoss();
  tell("At its first step.");
}));
at("recipe").addEventListener("change", () => { toy.running = false; toy.begun = false; });
at("use").addEventListener("click", () => guarded(async () => {
  toy.running = false;
  await use(await model());
}));
at("keep").addEventListener("click", () => guarded(async () => {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([await model()]));
  link.download = `${at("set").value}.flow`;
  link.click();
  URL.revokeObjectURL(link.href);
}));
at("toy-steps").addEventListener("input", () => {
  at("toy-steps-shown").textContent = at("toy-steps").value;
});
for (const id of ["toy-steps", "toy-solver"]) {
  at(id).addEventListener("change", () => { if (toy.begun && !toy.running) guarded(look); });
}
const again = () => { paint(); drawLoss(); };
window.addEventListener("resize", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);

compiled.then(
  () => guarded(async () => {
    await begin();
    tell("Ready: press Train.");
  }),
  (error) => {
    at("trouble").hidden = false;
    at("trouble").textContent = `The core cannot be loaded: ${error.message}. Pages that are ` +
      "opened as files may load nothing: serve this folder, for example by python3 -m http.server.";
    tell("");
  },
);
