// The host of the static site: every figure of the page comes alive through its own module. A classic script,
// so that it works from a file too; `SOURCES` (name -> text) stands in front of it (fitlib/figures/site.py).
// `bring(figure, place, before)` is there for others: Python in the page makes figures too (fitlib/page).

(() => {
  /** What a figure needs of a widget's model: values with change events, and its place on the page. */
  function modelOf(spec, place, before) {
    const values = { ...spec.state, ...kept(spec, before), _spec: spec }, handlers = {};
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

  /** What the reader changed in the figure before, where it fits this one: on its sliders, or where both begin alike. */
  function kept(spec, before) {
    const told = (value) => JSON.stringify(value), state = {};
    for (const [name, initial] of Object.entries(spec.state)) {
      const value = before?.get(name), first = before?.get("_spec").state[name];
      const slider = spec.sliders?.find((one) => one.name === name);
      const fits = slider?.options ? slider.options.some(([, option]) => option === value)
        : slider ? value >= slider.lo && value <= slider.hi : told(first) === told(initial);
      if (value !== undefined && told(value) !== told(first) && fits) state[name] = value;
    }
    return state;
  }

  const modules = {};
  const moduleOf = (kind) => (modules[kind] ??=
    import(URL.createObjectURL(new Blob([SOURCES.kit, "\n", SOURCES[kind]], { type: "text/javascript" }))));

  /**
   * Bring a figure to life: an element with `data-kind` that holds a spec. `place` is its number on the page, for links;
   * `before` is the element of the figure whose state it takes over. Its picture stays until the figure stands.
   */
  async function bring(figure, place, before) {
    const el = figure.appendChild(document.createElement("div"));
    try {
      const { default: kind } = await moduleOf(figure.dataset.kind);
      figure.model = modelOf(JSON.parse(figure.querySelector("script").textContent), place, before?.model);
      figure.end = await kind.render({ model: figure.model, el });
      figure.replaceChildren(el);
    } catch (error) {
      el.remove();
      throw error;
    }
  }

  async function start() {
    const figures = [...document.querySelectorAll(".fm-figure")];
    for (const [i, figure] of figures.entries()) await bring(figure, i + 1).catch(console.error);
    const wanted = new URLSearchParams(location.hash.slice(1)).get("figure");
    figures[wanted - 1]?.scrollIntoView();
  }

  window.figures = { bring };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
