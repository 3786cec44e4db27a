"""The page of sources, made from references.bib: one anchor per entry, named by its key.

A Sphinx extension with one directive, `sources`. Chapters link to an entry with plain Markdown:
`[Kingma and Ba (2015)](bibliography.md#kingma2015)`.
"""

from pathlib import Path

from docutils import nodes
from pybtex.database import parse_file
from sphinx.util.docutils import SphinxDirective

BIBLIOGRAPHY = Path(__file__).parent.parent / "references.bib"


def entries(path=BIBLIOGRAPHY):
    """The entries of a BibTeX file as pairs (key, entry), by author and year."""
    found = parse_file(str(path)).entries.items()
    return sorted(found, key=lambda item: (surnames(item[1]), item[1].fields["year"]))


def surnames(entry):
    """The surnames of the authors of `entry`, in order."""
    return [" ".join(person.prelast_names + person.last_names) for person in entry.persons["author"]]


def authors(entry):
    """The authors of `entry` as a reader writes them: "Polyak", "Kingma and Ba", "Duchi et al."."""
    names = surnames(entry)
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def address(entry):
    """Where `entry` can be read, or None."""
    fields = entry.fields
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    if "eprint" in fields:
        return f"https://arxiv.org/abs/{fields['eprint']}"
    return fields.get("url")


def venue(entry):
    """Where `entry` appeared: journal, conference or publisher, with volume and pages."""
    fields = entry.fields
    name = (
        fields.get("journal")
        or fields.get("booktitle")
        or fields.get("publisher")
        or fields.get("howpublished")
    )
    parts = [name, fields.get("volume"), fields.get("pages", "").replace("--", "–")]
    return ", ".join(part for part in parts if part)


def paragraph(key, entry):
    """One entry as a paragraph of the page, with its key as anchor."""
    names = [
        " ".join(p.first_names + p.middle_names + p.prelast_names + p.last_names)
        for p in entry.persons["author"]
    ]
    title = nodes.emphasis(text=entry.fields["title"].replace("{", "").replace("}", ""))
    link = address(entry)
    return nodes.paragraph(
        "",
        "",
        nodes.strong(text=f"{authors(entry)} ({entry.fields['year']})."),
        nodes.Text(f" {', '.join(names)}: "),
        nodes.reference("", "", title, refuri=link, internal=False) if link else title,
        nodes.Text(f". {venue(entry)}."),
        ids=[key],
        classes=["source"],
    )


class Sources(SphinxDirective):
    """All entries of references.bib."""

    def run(self):
        self.env.note_dependency(str(BIBLIOGRAPHY))
        return [paragraph(key, entry) for key, entry in entries()]


def anchors(app, doctree):
    """Tell MyST about the anchors, so that a link to a missing entry is a warning."""
    sources = [node for node in doctree.findall(nodes.paragraph) if "source" in node["classes"]]
    if sources:
        slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
        slugs.update(
            {key: (node.line, key, node[0].astext().rstrip(".")) for node in sources for key in node["ids"]}
        )


def setup(app):
    app.add_directive("sources", Sources)
    app.connect("doctree-read", anchors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
