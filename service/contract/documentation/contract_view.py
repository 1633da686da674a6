"""The contract as the pages show it: types, rules and meanings, also those behind references."""
import json

from markup import code, escape, link, render_inline
from source import resolve

# More values of an enumeration are shown with its schema only.
VALUES_SHOWN = 12
WORDS = {"format": "format {}", "minLength": "{} or more characters", "maxLength": "at most {} characters",
         "minItems": "{} or more items", "maxItems": "at most {} items", "minimum": "from {}", "maximum": "to {}",
         "minProperties": "{} or more members", "x-reference": "a code of GET {}"}
FLAGS = {"uniqueItems": "no item twice", "x-free-text": "free text, scanned for data that identifies a person",
         "x-identifier": "no CHI number and no e-mail address"}


class ContractView:
    """`operations` as compile.py collects them; `lists`: {code list: {code: label}}."""

    def __init__(self, document, operations, lists):
        self.document = document
        self.operations = operations
        self.lists = lists
        self.schemas = document.get("components", {}).get("schemas", {})

    def resolve(self, node):
        return resolve(self.document, node, "#")[0]

    def flatten(self, node):
        """Returns the schema with what its reference says; of a choice with null, the schema that is not null."""
        choices = [each for each in node.get("oneOf", []) if each.get("type") != "null"]
        if len(choices) == 1:
            node = {**choices[0], **{key: value for key, value in node.items() if key != "oneOf"}}
        return {**self.flatten(self.resolve(node)), **node} if "$ref" in node else node

    def may_be_null(self, node):
        if "$ref" in node:
            return self.may_be_null(self.resolve(node))
        return "null" in node.get("type", "") or any(map(self.may_be_null, node.get("oneOf", [])))

    def meaning(self, node):
        """Returns the description of a schema: its own, or that of what it refers to or consists of."""
        flat = self.flatten(node)
        inner = flat.get("oneOf", []) + [flat[key] for key in ("items",) if key in flat]
        return flat.get("description") or next(filter(None, map(self.meaning, inner)), "")

    def describe_type(self, node):
        """Returns HTML that says which types a schema allows."""
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            return link(f"#schema-{name}", name)
        if "oneOf" in node:
            return " or ".join(self.describe_type(each) for each in node["oneOf"])
        types = node.get("type", "any")
        text = escape(" or ".join([types] if isinstance(types, str) else types))
        return text + (" of " + self.describe_type(node["items"]) if "items" in node else "")

    def code_list_of(self, values):
        """Returns the name of the code list that has these values, or None if there is none or several."""
        values = {value for value in values if value is not None}
        same = [name for name, labels in self.lists.items() if set(labels) == values]
        larger = [name for name, labels in self.lists.items() if values < set(labels)]
        return same[0] if same else larger[0] if len(larger) == 1 else None

    def labelled_values(self, node):
        """Returns (value, label or "") for each value of an enumeration."""
        labels = self.lists.get(self.code_list_of(node["enum"]), {})
        return [("null" if value is None else str(value), labels.get(value, "")) for value in node["enum"]]

    def describe_values(self, node, reference):
        """Returns HTML of the values of an enumeration; of a long one, where they are."""
        if len(node["enum"]) > VALUES_SHOWN and reference:
            return f"one of {len(node['enum'])} values: see {link('#schema-' + reference, reference)}"
        return "one of " + ", ".join(code(value) + (f" ({escape(label)})" if label else "")
                                     for value, label in self.labelled_values(node))

    def describe_rules(self, node):
        """Returns HTML of the limits and values of a schema, also of the one that it refers to."""
        flat = self.flatten(node)
        parts = [escape(phrase.format(flat[key])) for key, phrase in WORDS.items() if key in flat]
        parts += [phrase for key, phrase in FLAGS.items() if flat.get(key)]
        if "pattern" in flat:
            parts.append(f"pattern {code(flat['pattern'])}")
        if "enum" in flat:
            parts.append(self.describe_values(flat, flat.get("$ref", "").rsplit("/", 1)[-1]))
        parts += [f"{word} {code(json.dumps(flat[key]))}" for word, key in (("always", "const"), ("default", "default"))
                  if key in flat]
        text = "; ".join(parts)
        rules = [text[:1].upper() + text[1:] + "."] if text else []
        if "items" in flat and "properties" not in self.flatten(flat["items"]):
            each = self.describe_rules(flat["items"])
            rules += [f"Each: {each[:1].lower()}{each[1:]}"] if each else []
        return " ".join(rules)

    def describe(self, node, own_words=""):
        """Returns HTML of the meaning and the rules of a schema; `own_words` replace its description."""
        words = render_inline((own_words or self.meaning(node)).strip())
        return f"{words} {self.describe_rules(node)}".strip()

    def describe_kind(self, node, is_required):
        """Returns HTML of what follows the name of a member: type, required, nullable."""
        text = f'<span class="type">{self.describe_type(node)}</span>'
        text += ' <span class="must">required</span>' if is_required else ' <span class="may">optional</span>'
        return text + (' <span class="may">nullable</span>' if self.may_be_null(node) else "")

    def tags(self):
        """Returns the tags in the contract's order with the operations of each, in the order of their paths."""
        tags = {each["name"]: (each, []) for each in self.document.get("tags", [])}
        order = {path: index for index, path in enumerate(self.document["paths"])}
        for operation in sorted(self.operations, key=lambda each: order.get(each["path"], len(order))):
            tags[operation["node"]["tags"][0]][1].append(operation)
        return [each for each in tags.values() if each[1]]

    def users_of_schemas(self):
        """Returns {schema: the operations that send or return it}."""
        users = {}
        for operation in self.operations:
            node = operation["node"]
            holders = [*node["responses"].values(), *([node["requestBody"]] if "requestBody" in node else [])]
            media = [each for holder in holders if "$ref" not in holder
                     for each in holder.get("content", {}).values()]
            for reference in (each.get("schema", {}).get("$ref", "") for each in media):
                found = users.setdefault(reference.rsplit("/", 1)[-1], [])
                if node["operationId"] not in found:
                    found.append(node["operationId"])
        return users
