// Light or dark: what was chosen last, else what the system says. And the contents on a narrow page.
"use strict";
const root = document.documentElement;
const kept = (() => { try { return localStorage.getItem("light"); } catch { return null; } })();
if (kept) root.dataset.theme = kept;
addEventListener("DOMContentLoaded", () => {
  document.getElementById("light").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try { localStorage.setItem("light", next); } catch { /* a page from a file may not keep it */ }
  });
  const menu = document.getElementById("menu");
  menu.addEventListener("click", () => {
    const open = document.body.classList.toggle("open");
    menu.setAttribute("aria-expanded", String(open));
  });
  const here = document.querySelector("nav [aria-current]");
  if (here) here.scrollIntoView({ block: "center" });
});
