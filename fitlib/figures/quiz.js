// Quiz: a question, what the reader chooses or writes, and what is to be said to it.

/** What a reader wrote as a number: { value }, or { problem } in words. 1e-3, 0,5, 1/3, 2×10^-3, 40 % are numbers. */
function numberFrom(written, unit = "") {
  const raised = "⁰¹²³⁴⁵⁶⁷⁸⁹", lowered = (power) => [...power].map((c) => (c === "⁻" ? "-" : raised.indexOf(c))).join("");
  let text = written.replaceAll("−", "-").replace(/\s/g, "").replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+/, (power) => `^${lowered(power)}`);
  unit = unit.replace(/\s/g, "");
  const known = unit && text.endsWith(unit), percent = !known && text.endsWith("%");
  if (known || percent) text = text.slice(0, known ? -unit.length : -1);
  if (/^-?[1-9]\d{0,2},\d{3}$/.test(text)) {
    return { problem: `${text} has two readings. Write ${text.replace(",", "")}, or ${text.replace(",", ".")}.` };
  }
  text = /\..*,|,.*,|,.*\./.test(text) ? text.replace(/,(?=\d{3})/g, "") : text.replaceAll(",", ".");
  text = text.replace(/^(-?)10\^/, "$11e").replace(/[×·*x]10\^/, "e");
  const number = (part) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part) ? Number(part) : NaN);
  const [above, below = 1, ...more] = text.split("/").map(number), value = more.length ? NaN : above / below;
  if (Number.isFinite(value)) return { value: percent ? value / 100 : value };
  return { problem: "That is not a number yet. Write it like 0.25, 1/4 or 2.5e-1." };
}

/** What is said to a number: { right, text }. */
function judge({ answer, tolerance, why, feedback, otherwise }, value) {
  const off = (other) => Math.abs(value - other);
  if (off(answer) <= tolerance * (1 + 1e-9) + 1e-15) return { right: true, text: why };
  const [nearest] = [...feedback].sort((a, b) => off(a.value) - off(b.value));
  return { right: false, text: nearest && off(nearest.value) <= Math.max(tolerance, 1e-9) ? nearest.text : otherwise };
}

function render({ model, el }) {
  const spec = model.get("_spec"), life = lifecycle();
  const heard = html("p", { class: "fm-said", "aria-live": "polite" });
  /** Shows the verdict: a glyph, a word and the feedback. */
  const verdict = (place, { right, text, problem }) => {
    const word = problem ? "" : right ? "Right." : "Not right.";
    place.hidden = false;
    place.dataset.verdict = problem ? "" : right ? "right" : "wrong";
    place.replaceChildren(html("strong", {}, word), " ", problem ?? rich("span", {}, text));
    typeset(place);
    heard.textContent = `${word} ${problem ?? rich("span", {}, text).textContent}`;
  };

  const choices = () => spec.options.flatMap(({ text, feedback, right }) => {
    const mark = html("span", { class: "fm-said" }), place = html("div", { class: "fm-verdict", hidden: "" });
    const node = button(life, "", () => {
      verdict(place, { right, text: feedback });
      node.dataset.verdict = right ? "right" : "wrong";
      mark.textContent = right ? " (right)" : " (not right)";
    }, { class: "fm-option" });
    node.append(rich("span", {}, text), mark);
    return [node, place];
  });
  const entry = () => {
    const input = html("input", { type: "text", autocomplete: "off", "aria-label": "your answer" });
    const place = html("div", { class: "fm-verdict", hidden: "" });
    const check = html("button", { type: "submit" }, "check");
    const form = html("form", { class: "fm-entry" }, input, html("span", {}, spec.unit), check);
    life.on(form, "submit", (event) => {
      event.preventDefault();
      const { value, problem } = numberFrom(input.value, spec.unit);
      verdict(place, problem ? { problem } : judge(spec, value));
    });
    return [form, place];
  };
  const question = html("fieldset", { class: "fm-question" }, rich("legend", {}, spec.question),
    ...(spec.options ? choices() : entry()));
  el.replaceChildren(html("div", { class: "fm fm-quiz" }, html("div", { class: "fm-body" }, question, heard)));
  typeset(el);
  return () => life.end();
}

export default { render };
