// How the page of a model asks: over HTTP, with a token where the server wants one.
"use strict";

const token = () => sessionStorage.getItem("token");

/** Asks the server; an error is the sentence that it answers. */
async function ask(path, body, accept = "application/json", signal = undefined) {
  const headers = { Accept: accept };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body) headers["Content-Type"] = "application/json";
  const method = body ? "POST" : "GET";
  const response = await fetch(path, {
    method, headers, signal, body: body && JSON.stringify(body),
  });
  if (response.ok) return accept === "application/json" ? response.json() : response.blob();
  const error = new Error((await response.json()).error.message);
  error.status = response.status;
  throw error;
}

async function start() {
  let described = null;
  try {
    described = await ask("/v1/model");
  } catch (error) {
    at("access").hidden = error.status !== 401;
    if (error.status !== 401) document.querySelector("main").hidden = false;
    say(error.message, true);
    return;
  }
  at("access").hidden = true;
  document.querySelector("main").hidden = false;
  await present(described);
}

at("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", at("token").value);
  start();
});
start();
