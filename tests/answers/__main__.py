"""`python -m tests.answers [set ...] [-v]`: a table of what the checker says of wrong answers."""

import sys
from time import process_time

import fitlib.exercises  # noqa: F401 - registers the exercises
from fitlib.exercises.core import TOLD, check
from tests.answers import HERE, KEPT, known, read

# Which questions fit a mistake besides that of its own kind: an old value for a new one is another name, too.
FITS = {
    "name": {"old and new", "exchanged"},
    "exchanged": {"name"},
    "order": {"old and new", "name"},
    "condition": {"count"},
    "count": {"condition"},
    "number": {"left out"},
    "power": {"number"},
    "axis": {"left out", "function"},
}


def fits(one, kinds):
    """Whether one of the kinds that were asked for is that of the mistake."""
    root = {"power"} if "root" in one.mistake or "square" in one.mistake else set()
    return bool(({one.kind} | FITS.get(one.kind, set()) | root) & set(kinds))


def measure(answers, verbose=False):
    """Counts over a set: caught, named at once, proper part, right line (with chance), kind, seconds."""
    rows = dict.fromkeys(["answers", "caught", "form", "part", "line", "chance", "lined", "kind", "slowest"], 0)
    for one in answers:
        TOLD.clear()
        begin = process_time()
        first = check(one.exercise, one.function)
        spent = process_time() - begin
        second = first.more
        rows["answers"] += 1
        rows["slowest"] = max(rows["slowest"], spent)
        rows["caught"] += not first
        form = not first and first.level == 2 and first.again is None or first.mark == "✗" and not first.level
        rows["form"] += form
        finding = second.finding
        proper = [place for place in finding.places if place.proper] if finding else []
        rows["part"] += bool(proper)
        if proper and one.statements >= 3:
            rows["lined"] += 1
            rows["line"] += bool({place.line for place in proper} & one.marked)
            rows["chance"] += len(one.marked) / one.statements
        named = bool(finding) and fits(one, finding.kinds)
        rows["kind"] += named or form
        if verbose:
            flag = "" if first else " CAUGHT"
            flag += " P" if proper else ""
            flag += " L" if proper and {place.line for place in proper} & one.marked else ""
            flag += " K" if named else f" ({', '.join(finding.kinds) if finding else ''})"
            print(f"\n{one.exercise}: {one.kind}: {one.mistake} [{spent:.2f}s]{flag}\n  {first}\n  {second}")
    return rows


def table(stems):
    for stem in stems:
        rows = measure(known() if stem == "known" else read(stem), "-v" in sys.argv)
        n, parts, lined = rows["answers"], rows["part"], max(rows["lined"], 1)
        print(
            f"{stem:12} caught {rows['caught']}/{n}  form {rows['form']}  part {parts}/{n - rows['form']}  "
            f"line {rows['line']}/{rows['lined']} (chance {rows['chance'] / lined:.0%})  kind {rows['kind']}/{n}  "
            f"slowest {rows['slowest']:.2f} s"
        )


if __name__ == "__main__":
    named = [name for name in sys.argv[1:] if name != "-v"]
    table(named or ["known"] + [path.stem for path in sorted(HERE.glob("*.md")) if path.stem not in KEPT])
