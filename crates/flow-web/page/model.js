// A model in the browser: where it comes from, and how page.js asks it.
"use strict";

let opened = null; // The core of the model, once there is one.

/** What page.js asks by. */
async function ask(path, body, accept = "application/json", signal = undefined) {
  if (accept === "application/json") return opened.json(path, body, signal);
  return new Blob([await opened.bytes(path, body, accept, signal)], { type: accept });
}

/** Opens the bytes of a model and shows it. */
async function use(bytes) {
  select("model");
  const say_so = (text, wrong = false) => {
    at("opening").textContent = text;
    at("opening").classList.toggle("wrong", wrong);
  };
  say_so("Opening ...");
  try {
    opened ??= new Core();
    const described = await opened.open(bytes);
    say_so("");
    document.querySelector("main").hidden = false;
    await present(described);
  } catch (error) {
    say_so(error.message, true);
  }
}

function select(which) {
  for (const name of ["toy", "model"]) {
    at(`tab-${name}`).setAttribute("aria-selected", String(name === which));
    at(`${name}-panel`).hidden = name !== which;
  }
  window.dispatchEvent(new Event("resize")); // What was hidden had no width.
}

async function examples() {
  const response = await fetch("models.json");
  const files = response.ok ? await response.json() : [];
  at("examples").replaceChildren(...files.map((name) => {
    const button = element("button", name);
    button.type = "button";
    button.addEventListener("click", async () => {
      const file = await fetch(`models/${name}`);
      use(new Uint8Array(await file.arrayBuffer()));
    });
    return button;
  }));
}

for (const name of ["toy", "model"]) at(`tab-${name}`).addEventListener("click", () => select(name));
at("file").addEventListener("change", async () => {
  const [file] = at("file").files;
  if (file) use(new Uint8Array(await file.arrayBuffer()));
});
at("choose").addEventListener("submit", (event) => event.preventDefault());
examples().catch(() => {});
