// The host of the static site: every figure of the page comes alive through its own module. A classic script,
// so that it works from a file too; `SOURCES` (name -> text) stands in front of it (fitlib/figures/site.py).

(() => {
  /** What a figure needs of a widget's model: values with change events, and its place on the page. */
  function modelOf(spec, place) {
    const values = { ...spec.state, _spec: spec }, handlers = {};
    return {
      place,
      get: (name) => values[name],
      set(name, value) {
        if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
        values[name] = value;
        for (const handler of [...(handlers[`change:${name}`] ?? [])]) handler();
      },
      save_changes() {},
      on: (event, handler) => { (handlers[event] ??= new Set()).add(handler); },
      off: (event, handler) => { handlers[event]?.delete(handler); },
    };
  }

  const modules = {};
  const moduleOf = (kind) => (modules[kind] ??=
    import(URL.createObjectURL(new Blob([SOURCES.kit, "\n", SOURCES[kind]], { type: "text/javascript" }))));

  async function start() {
    const figures = [...document.querySelectorAll(".fm-figure")];
    for (const [i, figure] of figures.entries()) {
      const el = figure.appendChild(document.createElement("div"));
      try {
        const { default: kind } = await moduleOf(figure.dataset.kind);
        await kind.render({ model: modelOf(JSON.parse(figure.querySelector("script").textContent), i + 1), el });
        figure.replaceChildren(el); // the picture stays until the figure stands
      } catch (error) {
        el.remove();
        console.error(error);
      }
    }
    const wanted = new URLSearchParams(location.hash.slice(1)).get("figure");
    figures[wanted - 1]?.scrollIntoView();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
