// What offers Python on a page of a chapter: buttons at every cell. All else is loaded when one of them is pressed, or
// where the reader has left an edit (page.js).

(() => {
  const { src, dataset } = document.currentScript, base = src.slice(0, src.lastIndexOf("/") + 1);
  const cells = [...document.querySelectorAll(".bd-article div.cell")], store = `python:${dataset.chapter}:`;
  const element = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const button = (text, label, act) => {
    const node = element("button", { type: "button", class: "py-button", "aria-label": label }, text);
    node.addEventListener("click", act);
    return node;
  };
  let loading;
  const load = () => (loading ??= new Promise((done) => {
    document.head.append(Object.assign(element("script", { src: `${base}page.js` }), { onload: done }));
  }));
  const press = (act, place) => () => load().then(() => window.python[act](place));

  window.python = { load, base, store, chapter: dataset.chapter, cells, element, button };
  cells.forEach((cell, place) => {
    const input = cell.querySelector(".cell_input");
    if (!input) return;
    const name = `cell ${place + 1}`;
    const first = cell.matches(".tag_exercise") && !document.querySelector(".py-hint");
    if (first) cell.before(element("p", { class: "py-hint" },
      "Press Edit, write in the cell, and press Run: it runs in your browser, and you are told at once what is right and what is not."));
    input.after(element("div", { class: "py-row" }, button("Run", `Run ${name}`, press("run", place)),
      button("Edit", `Edit ${name}`, press("edit", place)), element("span", { class: "py-status" })));
  });
  try {
    if (Object.keys(localStorage).some((key) => key.startsWith(store))) load();
  } catch { /* without storage nothing was kept */ }
})();
