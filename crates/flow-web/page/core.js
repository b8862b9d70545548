// The core on the side of the page: requests are answered by a worker, one after the other.
"use strict";

/** Compiles the core once; each `Core` has a thread and memory of its own. */
const compiled = (async () => {
  const response = await fetch("flow_web.wasm");
  if (!response.ok) throw new Error(`flow_web.wasm: ${response.status} ${response.statusText}`);
  // Some servers do not know the type of WebAssembly, which streaming asks for.
  return response.headers.get("Content-Type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
})();

class Core {
  constructor() {
    this.waiting = new Map();
    this.next = 0;
    this.last = compiled.then((module) => {
      this.worker = new Worker("worker.js");
      this.worker.onmessage = ({ data: { id, bytes, error } }) => {
        const { resolve, reject } = this.waiting.get(id);
        this.waiting.delete(id);
        if (error === undefined) resolve(bytes);
        else reject(new Error(error));
      };
      return this.send({ module });
    });
    this.last.catch(() => {});
  }

  send(message) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...message });
    });
  }

  /** The bytes of an answer. A request that is given up before its turn is never computed. */
  turn(message, signal) {
    const mine = this.last.then(() => {
      if (signal?.aborted) throw new DOMException("given up", "AbortError");
      return this.send(message);
    });
    // What fails concerns nobody who comes later, but for a core that was never there.
    this.last = Promise.all([this.last, mine.catch(() => {})]);
    this.last.catch(() => {});
    return mine;
  }

  /** Opens the bytes of a model and gives its card. */
  async open(file) {
    return JSON.parse(new TextDecoder().decode(await this.turn({ file })));
  }

  /** What is asked for, as bytes. */
  bytes(path, body = {}, accept = "application/json", signal = undefined) {
    return this.turn({ request: JSON.stringify({ path, accept, body }) }, signal);
  }

  /** What is asked for, read as JSON. */
  async json(path, body = {}, signal = undefined) {
    const bytes = await this.bytes(path, body, "application/json", signal);
    return JSON.parse(new TextDecoder().decode(bytes));
  }
}
