"""The names of the reference as one types them, after `import ridgesplines as rs`."""

import importlib
from typing import Any

import ridgesplines as rs


def typed(module: str, name: str) -> str:
    """What to type for a name of a module: `rs.Problem`, `rs.torch.WeightDecay`."""
    first, *rest = name.split(".")
    thing = getattr(importlib.import_module(module), first, None)
    if thing is not None and getattr(rs, first, None) is thing:
        return ".".join(["rs", first, *rest])
    return module.replace("ridgesplines", "rs", 1) + "." + name


def as_typed(app: Any, domain: str, objtype: str, content: Any) -> None:
    """The prefix of a signature."""
    from sphinx import addnodes

    for signature in content.parent.findall(addnodes.desc_signature):
        for prefix in signature.findall(addnodes.desc_addname):
            name = signature["fullname"]
            if objtype in ("class", "exception", "function"):
                prefix.children = []
                whole = typed(signature["module"], name)
                prefix += type_text(whole[: len(whole) - len(name.rpartition(".")[2])])


def type_text(text: str) -> Any:
    from docutils import nodes

    return nodes.Text(text)


def in_tables(app: Any, doctree: Any) -> None:
    """The names in the tables of the reference."""
    from docutils import nodes
    from sphinx import addnodes
    from sphinx.ext.autosummary import autosummary_table

    for table in doctree.findall(autosummary_table):
        for link in table.findall(addnodes.pending_xref):
            module, _, name = link["reftarget"].rpartition(".")
            for text in list(link.findall(nodes.Text)):
                if module.startswith("ridgesplines") and text.astext().rstrip("()") == name:
                    text.parent.replace(text, nodes.Text(typed(module, name)))
