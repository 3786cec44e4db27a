// Tape: the lines of a function as a graph. First numbers, then drawing, then wiring.

/** The values of all nodes, the factor of every edge, what it passes back, and the derivative of the result by each node. */
function unroll({ nodes, inputs, lines }, run, get) {
  const first = inputs.length, values = new Float64Array(nodes.length), slopes = new Float64Array(nodes.length);
  const edges = nodes.flatMap(({ parents }, to) => parents.map((from) => ({ from, to, step: 2 * lines + first - to })));
  const factors = new Float64Array(edges.length);
  values.set(inputs.map((value) => (typeof value === "string" ? get(value) : value)));
  run(values, factors);
  edges.forEach((edge, i) => { edge.factor = factors[i]; });
  slopes[nodes.length - 1] = 1;
  for (const edge of [...edges].reverse()) {
    edge.passed = edge.factor * slopes[edge.to];
    slopes[edge.from] += edge.passed;
  }
  return { values, slopes, edges };
}

/** What is known at a step: steps 1 to `lines` compute one value each, the same number of steps after them pass back. */
function known({ nodes, inputs, lines }, { values, edges }, step) {
  const first = inputs.length, last = nodes.length - 1;
  const current = step === 0 ? -1 : step <= lines ? first + step - 1 : last - (step - lines - 1);
  const state = nodes.map((_, i) => {
    const uses = edges.filter((edge) => edge.from === i), back = uses.filter((edge) => step >= edge.step);
    const begun = uses.length ? back.length > 0 : step > lines;
    return {
      value: i < first || step >= i - first + 1 ? values[i] : undefined,
      slope: begun ? back.reduce((sum, edge) => sum + edge.passed, i === last ? 1 : 0) : undefined,
      complete: begun && back.length === uses.length,
    };
  });
  return { current, state };
}

/** The step in words. */
function words(spec, { values, edges }, { current, state }, step) {
  const { nodes, inputs, lines } = spec, result = nodes.at(-1).name, by = (i) => `∂${result}/∂${nodes[i].name}`;
  if (step === 0) return "The inputs are set. Each step forward computes one line, in the order of the code.";
  const { name, text } = nodes[current];
  if (step <= lines) return `Forward, line ${step} of ${lines}: ${name} = ${text} = ${show(values[current])}.`;
  const passed = edges.filter((edge) => edge.to === current);
  const parts = passed.map((edge) => `${show(edge.factor)} × ${show(state[current].slope)} = ${show(edge.passed)} to ${nodes[edge.from].name}`);
  const start = `Backward, line ${2 * lines - step + 1}: ${name} has ${by(current)} = ${show(state[current].slope)} and passes on ${parts.join(", ")}.`;
  const sums = passed.map(({ from }) => from).filter((i) => edges.filter((edge) => edge.from === i).length > 1);
  const more = sums.map((i) => ` ${nodes[i].name} is used more than once, so its parts are added: ${show(state[i].slope)}${state[i].complete ? "" : " so far"}.`);
  const all = step < 2 * lines ? "" : ` Done: ${inputs.map((_, i) => `${by(i)} = ${show(state[i].slope)}`).join(", ")}.`;
  return start + more.join("") + all;
}

const WIDE = 560, GAP = { across: 34, along: 30 };

/** Where the boxes lie in this width: layers from left to right, on a phone from top to bottom. */
function arrange(nodes, width) {
  const layers = 1 + Math.max(...nodes.map(({ layer }) => layer)), most = Math.max(...nodes.map(({ many }) => many)), h = 60;
  const wide = width >= WIDE, w = wide ? Math.min(130, width / layers - GAP.across) : Math.min(150, width / most - 8);
  const height = wide ? most * (h + 18) : layers * (h + GAP.along) - GAP.along + 4;
  const boxes = nodes.map(({ layer, place, many }) => (wide
    ? [((layer + 0.5) / layers) * width, ((place + 0.5) / many) * height] : [((place + 0.5) / many) * width, 2 + h / 2 + layer * (h + GAP.along)]));
  return { wide, w, h, height, boxes };
}

const LOOK = { // of a box: its border and filling
  waiting: "fill:var(--fm-page);stroke:var(--fm-line);stroke-dasharray:3 3", reached: "fill:var(--fm-plot);stroke:var(--fm-edge)",
  current: "fill:var(--fm-wash);stroke:var(--fm-accent);stroke-width:2.5",
};
const LINE = { rest: "stroke:var(--fm-line);stroke-width:1.2", forward: "stroke:var(--fm-edge);stroke-width:1.4",
  back: "stroke:var(--fm-accent);stroke-width:1.6", current: "stroke:var(--fm-accent);stroke-width:3" };

/** The graph. `place(width)` lays it out, `draw(numbers, known, step)` fills it. */
function graphView(spec) {
  const short = (v) => show(v, Math.abs(v) < 1e-3 ? 2 : 3); // a power of ten takes room
  const { nodes } = spec, plot = svg("svg", { role: "img", "aria-label": "the lines as a graph", style: "display:block;width:100%", class: "fm-graph" });
  const text = (style, anchor) => svg("text", { style: `font-variant-numeric:tabular-nums;${style}`, "text-anchor": anchor });
  let laid, lines, cards;
  return {
    plot,
    place(width) {
      laid = arrange(nodes, width);
      const { wide, w, h, height, boxes } = laid;
      set(plot, { viewBox: `0 0 ${width} ${height}`, height });
      lines = nodes.flatMap(({ parents }, to) => parents.map((from) => {
        const [x0, y0] = boxes[from], [x1, y1] = boxes[to], [a, b] = wide ? [x0 + w / 2, x1 - w / 2] : [y0 + h / 2, y1 - h / 2], m = (a + b) / 2;
        const path = svg("path", { d: wide ? `M${a} ${y0}C${m} ${y0} ${m} ${y1} ${b} ${y1}` : `M${x0} ${a}C${x0} ${m} ${x1} ${m} ${x1} ${b}` });
        const label = text("font-size:11px;font-weight:600;fill:var(--fm-accent);stroke:var(--fm-page);stroke-width:4px;paint-order:stroke", "middle");
        set(label, wide ? { x: m, y: y0 === y1 ? y0 - 5 : (y0 + y1) / 2 + 4 } : { x: (x0 + x1) / 2, y: m + 4 });
        return { path, label };
      }));
      cards = nodes.map(({ name, text: code }, i) => {
        const [x, y] = boxes[i], left = x - w / 2 + 7, right = x + w / 2 - 7;
        const box = svg("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx: 7 });
        const value = text("font-size:12.5px;fill:var(--fm-text)", "end"), slope = text("font-size:12.5px", "end");
        const title = text("font-size:13px;font-weight:700;fill:var(--fm-text)", "start"), line = text("font-size:11px;fill:var(--fm-soft)", "middle");
        const sign = text("font-size:11px;fill:var(--fm-soft)", "start");
        set(title, { x: left, y: y - 12 });
        set(value, { x: right, y: y - 12 });
        set(line, { x, y: y + 5 });
        set(sign, { x: left, y: y + 22 });
        set(slope, { x: right, y: y + 22 });
        title.textContent = name;
        line.textContent = code || "input";
        sign.textContent = `∂${nodes.at(-1).name}`;
        return { group: svg("g", {}, box, title, value, line, sign, slope), box, value, slope };
      });
      plot.replaceChildren(...lines.map(({ path }) => path), ...cards.map(({ group }) => group), ...lines.map(({ label }) => label));
    },
    draw({ edges }, { current, state }, step) {
      state.forEach(({ value, slope, complete }, i) => {
        const { box, value: shown, slope: passed } = cards[i];
        set(box, { style: LOOK[i === current ? "current" : value === undefined ? "waiting" : "reached"] });
        shown.textContent = value === undefined ? "" : short(value);
        passed.textContent = slope === undefined ? "" : complete ? short(slope) : `${show(slope, 2)} …`;
        Object.assign(passed.style, { fill: `var(--fm-${complete ? "accent" : "soft"})`, fontWeight: complete ? 650 : 400 });
      });
      edges.forEach((edge, i) => {
        const back = step >= edge.step, now = edge.to === current;
        const look = now ? (back ? "current" : "forward") : back ? "back" : state[edge.to].value === undefined ? "rest" : "forward";
        set(lines[i].path, { style: `fill:none;${LINE[look]}` });
        lines[i].label.textContent = back ? show(edge.factor, 2) : "";
      });
    },
  };
}

/** The numbers behind the picture. */
function numbers({ nodes }, { state }) {
  const result = nodes.at(-1).name, cell = (v) => (v === undefined ? "" : show(v, 6));
  return [table(`values, and derivatives of ${result}, at this step`, ["line", "value", `∂${result}`],
    nodes.map(({ name, text }, i) => [text ? `${name} = ${text}` : name, cell(state[i].value), cell(state[i].slope)]))];
}

async function render({ model, el }) {
  const spec = model.get("_spec"), { run } = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name), view = graphView(spec), step = () => get("step");
  ui.panels.style.display = "block";
  ui.panels.append(view.plot);
  let all, seen;
  const tables = ui.tables(() => numbers(spec, seen));
  const draw = () => {
    all = unroll(spec, run, get);
    seen = known(spec, all, step());
    view.draw(all, seen, step());
    ui.say(words(spec, all, seen, step()));
    tables();
  };
  const layout = () => {
    view.place(ui.panels.getBoundingClientRect().width);
    draw();
  };
  const request = life.frame(draw), last = spec.scrubber.hi, { lines } = spec;
  const told = (v) => (v === 0 ? "inputs" : v <= lines ? `${v} of ${lines} forward` : `${v - lines} of ${lines} backward`);
  ui.timeline.append(player(life, model, "step", last), slider(life, model, { ...spec.scrubber, text: told }).root);
  ui.controls.append(...spec.sliders.map((options) => slider(life, model, options).root));
  life.listen(model, ["step", ...spec.sliders.map(({ name }) => name)], request);
  tools(life, model, ui, spec, fieldsOf([...spec.sliders, spec.scrubber]));
  layout();
  life.resized(ui.panels, life.frame(layout));
  return () => life.end();
}

export default { render };
