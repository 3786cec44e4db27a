// Inside: what a rule computes from a sequence of gradients. First numbers, then drawing, then wiring.

/** From the state of the figure to its numbers: the gradients, and every named value of every rule that is shown. */
function evaluate(spec, code, get) {
  const read = (refs) => refs.map((ref) => (typeof ref === "string" ? get(ref) : ref));
  const chosen = spec.sequences.length > 1 ? get("gradients") : 0, { refs, numbers } = spec.sequences[chosen];
  const gradients = Float64Array.from({ length: spec.steps }, (_, i) => numbers?.[i] ?? code.sequences[chosen](i + 1, read(refs)));
  const [alpha] = read([spec.alpha]);
  const rules = spec.rules.map((rule, i) => {
    if (get("hidden").includes(rule.label)) return null;
    const { initial } = code.rules[i], make = () => new Float64Array(spec.steps), columns = initial.map(make), step = make();
    let done = 0, last = 0;
    fold(code.rules[i], Float64Array.from(read(rule.hyper)), new Float64Array(1), spec.steps, (g) => { g[0] = gradients[done]; }, (t, state) => {
      done = t;
      if (t > 0) {
        columns.forEach((column, k) => { column[t - 1] = state[k]; });
        step[t - 1] = (last - state[0]) / alpha;
      }
      last = state[0];
    });
    const named = Object.fromEntries(rule.slots.map((slot, k) => [rule.names[k], columns[slot]]));
    return { ...rule, values: { ...named, step } };
  }).filter(Boolean);
  return { gradients, rules };
}

function words(spec, now, t) {
  const each = now.rules.map(({ label, names, values }) =>
    `${label}: ${names.map((name) => `${spec.labels[name]} = ${show(values[name][t - 1])}, `).join("")}step ${show(values.step[t - 1])} α`);
  return [`In step ${t} the gradient is ${show(now.gradients[t - 1])}`, ...each].map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(" ");
}

/** A quantity against the step: bars for the gradients, lines with a bead at each step for the rest. */
function plotView(life, spec, put, { title, names, bars, xlabel }) {
  const p = panel(life, { title, xlabel, left: 46 });
  const zero = p.inside.appendChild(svg("path", { class: "fm-zero" })), lines = p.inside.appendChild(svg("g", {}));
  const cursor = p.inside.appendChild(svg("path", { class: "fm-cursor" })), dots = p.over.appendChild(svg("g", {}));
  const colored = (name, color, d) => svg("path", { class: name, style: `--fm-c:${color}`, d });
  movable(life, p, { pick: p.hits, to: ([t]) => put("step", clamp(Math.round(t), 1, spec.steps)) });
  let series = [];
  return {
    panel: p,
    draw(now) {
      series = bars ? [{ color: "var(--fm-soft)", values: now.gradients }]
        : now.rules.flatMap(({ color, values }) => names.filter((name) => values[name]).map((name) => ({ color, values: values[name], raw: names.length > 1 && name === names[0] })));
      const all = series.flatMap(({ values }) => [...values].filter(Number.isFinite)).concat(0);
      const lo = Math.min(...all), hi = Math.max(...all), pad = (hi - lo || 1) * 0.08;
      p.frame({ x: [0.5, spec.steps + 0.5], y: [lo < 0 ? lo - pad : 0, hi > 0 ? hi + pad : pad] });
      const X = Array.from({ length: spec.steps }, (_, i) => p.x(i + 1)), apart = p.w / spec.steps > 6;
      set(zero, { d: `M0 ${p.y(0)}H${p.w}` });
      lines.replaceChildren(...series.flatMap(({ color, values, raw }) => {
        const Y = values.map(p.y);
        if (bars) return [colored("fm-bars", color, X.map((x, i) => `M${x.toFixed(1)} ${p.y(0).toFixed(1)}V${Y[i].toFixed(1)}`).join(""))];
        const beads = apart && !raw ? [colored("fm-beads", color, X.map((x, i) => (Number.isFinite(Y[i]) ? `M${x.toFixed(1)} ${Y[i].toFixed(1)}h0` : "")).join(""))] : [];
        return [colored(raw ? "fm-done fm-recorded" : apart ? "fm-future" : "fm-done", color, trace(X, Y)), ...beads];
      }));
      if (bars) set(lines.firstChild, { "stroke-width": Math.max(1.5, Math.min(9, (0.6 * p.w) / spec.steps)) });
    },
    look(t) {
      set(cursor, { d: `M${p.x(t)} 0V${p.h}` });
      dots.replaceChildren(...series.map(({ color, values }) => svg("circle", { class: "fm-dot", r: 4.5, style: `--fm-c:${color}`, cx: p.x(t), cy: p.y(values[t - 1]) }))
        .filter((dot) => Number.isFinite(Number(dot.getAttribute("cy")))));
      p.readout.textContent = series.map(({ values }) => show(values[t - 1])).join(" · ");
    },
  };
}

function numbers(spec, now) {
  const columns = now.rules.flatMap(({ label, names, values }) => [...names, "step"].map((name) => [`${label}: ${spec.labels[name] ?? "step / α"}`, values[name]]));
  return [table("After every step", ["t", "gradient", ...columns.map(([name]) => name)],
    Array.from(now.gradients, (g, i) => [i + 1, show(g), ...columns.map(([, values]) => show(values[i]))]))];
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name);
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const views = [{ title: "gradient g", bars: true }, ...spec.plots, { title: "step, in units of α", names: ["step"] }]
    .map((options, i, all) => plotView(life, spec, put, { ...options, xlabel: i > all.length - 3 ? "step t" : "" }));
  ui.panels.classList.add("fm-pairs");
  ui.panels.append(...views.map(({ panel }) => panel.root));

  let now, stale = true;
  const tables = ui.tables(() => numbers(spec, now));
  const draw = () => {
    if (stale) {
      now = evaluate(spec, code, get);
      for (const view of views) view.draw(now);
    }
    for (const view of views) view.look(get("step"));
    ui.say(words(spec, now, get("step")));
    switches((i) => !get("hidden").includes(spec.rules[i].label));
    tables();
    stale = false;
  };
  const request = life.frame(draw);
  const again = () => { stale = true; request(); };
  const labels = spec.rules.map(({ label }) => label), scrubber = { name: "step", label: "step", lo: 1, hi: spec.steps, step: 1, whole: true };
  const switches = legend(life, ui.legend, spec.rules, (i) => put("hidden", toggled(get("hidden"), labels[i])));
  ui.timeline.append(player(life, model, "step", spec.steps, 1), slider(life, model, { ...scrubber, text: (v) => `${v} of ${spec.steps}` }).root);
  ui.controls.append(...spec.sliders.map((options) => control(life, model, options).root));
  life.listen(model, ["step"], request);
  life.listen(model, ["hidden", ...spec.sliders.map(({ name }) => name)], again);
  tools(life, model, ui, spec, fieldsOf([...spec.sliders, scrubber], labels));
  draw();
  life.resized(ui.panels, again);
  return () => life.end();
}

export default { render };
