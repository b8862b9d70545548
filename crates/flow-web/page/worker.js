// A core in a thread of its own: what `border.rs` is called by.
//
// A message is {id, module}, {id, file} or {id, request}; the answer is {id, bytes} or {id, error}.
"use strict";

let module = null;
let core = null;
let file = null; // The model that is open, to be opened again after a fault.

/** A new core, with memory of its own. */
async function begin() {
  const imports = {};
  // Parts of libraries that no request reaches ask for functions of a browser.
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") continue;
    imports[from] ??= {};
    imports[from][name] = () => { throw new Error(`the core has no use for ${name}`); };
  }
  core = (await WebAssembly.instantiate(module, imports)).exports;
}

function reply() {
  const bytes = new Uint8Array(core.memory.buffer, core.flow_reply(), core.flow_reply_length());
  return bytes.slice();
}

const text = (bytes) => new TextDecoder().decode(bytes);

/** Calls a function of the border with the bytes that it reads. */
function call(name, bytes) {
  let code = 1;
  try {
    const place = core.flow_place(bytes.length);
    if (place !== 0) {
      new Uint8Array(core.memory.buffer, place, bytes.length).set(bytes);
      code = core[name]();
    }
  } catch (trap) {
    // A panic has left its message; what ended without one most likely found no memory.
    const said = text(reply()) || `${trap.message}: it may have run out of memory`;
    core = null;
    throw new Error(`the core failed and was begun anew: ${said}`);
  }
  if (code !== 0) throw new Error(text(reply()));
  return reply();
}

async function work(message) {
  if (message.module) module = message.module;
  if (!core) {
    await begin();
    if (file && message.request) call("flow_open", file);
  }
  if (message.file) {
    const card = call("flow_open", message.file);
    file = message.file;
    return card;
  }
  if (message.request) return call("flow_answer", new TextEncoder().encode(message.request));
  return new Uint8Array(0);
}

let last = Promise.resolve(); // One after the other, also while a core begins.

self.onmessage = ({ data }) => {
  last = last.then(() => work(data)).then(
    (bytes) => self.postMessage({ id: data.id, bytes }, [bytes.buffer]),
    (error) => self.postMessage({ id: data.id, error: error.message }),
  );
};
