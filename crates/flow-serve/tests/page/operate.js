// Operates the page of a model of a table, as a person would, and writes what became of it into the
// document. It sees the names of page.js.
"use strict";

/** Waits until the answer to what was just asked for is shown. */
const answered = () => new Promise((go) => {
  const look = new MutationObserver(() => {
    if (at("draw").disabled) return;
    look.disconnect();
    go();
  });
  look.observe(at("draw"), { attributes: true, attributeFilter: ["disabled"] });
});

/** Gives a field a value, as typing and moving do. */
const give = (field, value, ...events) => {
  field.value = value;
  for (const name of events) field.dispatchEvent(new Event(name, { bubbles: true }));
};

const field = (name) => document.querySelector(`[data-given=${name}]`);
const now = () => ({
  body: drawn.body, rows: drawn.answer.rows, status: at("status").textContent,
  lines: document.querySelectorAll("#table tbody tr").length,
});

async function operate() {
  if (!at("status").textContent.includes("samples,")) await answered();
  const said = { first: now() };

  give(field("clinic"), "B", "input", "change");
  give(field("age"), "41", "input", "change");
  give(at("n"), "7", "input", "change");
  give(at("seed"), "5", "input", "change");
  give(at("solver"), "rk4", "input", "change");
  at("draw").click();
  await answered();
  said.form = now();

  give(at("steps"), "3", "input");
  said.shown = at("steps-shown").textContent;
  give(at("steps"), "3", "change");
  await answered();
  said.steps = now();

  at("another").click();
  await answered();
  said.another = now();

  const picture = () => at("view").toDataURL();
  const atData = picture();
  give(at("t"), "0", "input");
  said.t = at("t-shown").textContent;
  said.moved = picture() !== atData;
  give(at("t"), "1", "input");
  said.back = picture() === atData;

  // A field that must be filled is not: nothing is asked for.
  give(field("age"), "", "input", "change");
  at("draw").click();
  said.waits = at("draw").disabled;
  return said;
}

operate().catch((error) => ({ error: String(error) })).then((said) => {
  const box = element("pre", JSON.stringify(said));
  box.id = "said";
  document.body.append(box);
});
