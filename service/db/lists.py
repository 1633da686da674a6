"""Writes the statements of a list from its declaration: one for each sort order, with all filters and positions.

A list is declared in `queries.sql`, in comment lines below `-- name: list_things page`:

    -- row: thing t: thing_document(t)
    -- sort due_on: t.due_on, t.id
    -- sort -changed_at: t.changed_at desc, t.id desc
    -- part committee: t.committee = claim('area')
    -- few: t.case_id = any ((select granted_cases())::uuid[]) and t.committee <> claim('area')
    -- filter status: t.status = any ($[])
    --   index (committee, status, due_on, id)
    -- filter due_from: t.due_on >= $::date
    --   range due_on
    -- filter late=true: t.due_on < today()
    -- filter late=false: t.due_on >= today()
    -- filter theme: t.themes && $[]

`$` is the value of the filter, `$name` that of another parameter of the request, both as text. `$[]` are the values of
a filter that takes several, separated by commas, as an array of texts. The first sort order is the default. Rows come
from parts, which have no row in common. A part is read in the order of an index on its column and the columns of the
sort order. `few` is a part of few rows, which are all read. `of: case c: c.id = $id::uuid` is the row that the list
belongs to: without it the list is 404.

A statement is planned at each call with its values. PostgreSQL folds each condition on a value (`'open' is null or
t.status = 'open'`) before it chooses a plan, so that absent filters cost nothing and present ones are plain conditions
on columns. A sort order has a second, longer statement for requests that give a filter several values, if that needs
other scans (see below).

No call reads more than a bounded number of rows. For each part a statement chooses one of two ways:

 - In order: the scan applies the conditions that an index serves: the first given filter with an `index` that has the
   part's column first and ends with the sort order, and each `range` on the sort column. The other filters apply to
   the first SCANNED rows of the scan (SCANNED_COSTLY if a given filter is marked `costly`). If the page is not full
   then, it ends there, and `next` continues behind the last row that was read. An index has the rows of one value in
   order, but not those of several values. If the filter that a scan begins with has several (it must be
   `column = any ($[])`), each value gets a scan of its own with an equal share of the rows, as if it were a part.
 - If a given filter has an index or range in another order only, and at most FEW rows match it, those rows are
   sorted. So a filter that matches little or nothing gives a whole page, whatever the order.

The build refuses a list when an index that it needs or names does not exist (sql/*/tables.sql, sql/migrations), and
service/contract/bind.py compares the declared filters and sort orders with the contract.
"""
import re

SCANNED, SCANNED_COSTLY, FEW = 5000, 1000, 2000
# Says service/contract/bind.py that a parameter takes several values.
SEVERAL = "several"

DECLARATION = re.compile(r"(row|of|few|(?:part|sort|filter) \S+(?: costly)?): (.+)")
DETAIL = re.compile(r"index (\([\w, ]+\)(?: where .+)?)|range (\S+?)(?:: (.+))?")
INDEX = re.compile(r"create (?:unique )?index(?: \w+)?\s+on (\w+) (\([\w, ]+\)(?:\s+where [^;]+)?);")
TABLE = re.compile(r"create table (\w+) \((.*?)\n\)", re.DOTALL)
COLUMN = re.compile(r"^    (\w+) (\w+)", re.MULTILINE)
UNIQUE = re.compile(r"^    unique (\([\w, ]+\))|^    (\w+) \w+ (?:primary key|not null unique)", re.MULTILINE)


class Wrong(Exception):
    """A declaration that no statement can be written from."""


class Tables:
    """The indexes, as `(columns) where condition`, and the types of the columns that the texts create."""

    def __init__(self, texts):
        self.indexes, self.types = {}, {}
        for text in texts:
            text = re.sub(r" *--[^\n]*", "", text)
            for table, body in TABLE.findall(text):
                self.types[table] = dict(COLUMN.findall(body))
                self.indexes[table] = {unique or f"({key})" for unique, key in UNIQUE.findall(body)}
            for table, columns in INDEX.findall(text):
                self.indexes.setdefault(table, set()).add(" ".join(columns.split()))


class Filter:
    def __init__(self, words, condition):
        name, _, costly = words.partition(" ")
        self.name, _, self.value = name.partition("=")
        self.costly = bool(costly)
        self.condition = with_values(condition, self.name)
        self.several = "$[]" in condition
        column = re.fullmatch(r"(\w+\.\w+) = any \(\$\[\]\)", condition)
        self.column = column and column[1]
        self.values = with_values("$[]", self.name)
        self.indexes, self.ranges = [], {}
        given = with_values("$", self.name)
        self.given = f"{given} is not distinct from '{self.value}'" if self.value else f"{given} is not null"
        self.absent = f"{given} is distinct from '{self.value}'" if self.value else f"{given} is null"
        self.many = f"({given} is not null and strpos({given}, ',') > 0)"
        # PostgreSQL reads an index in order only for an equality, not for an array of one value.
        self.single = f"{self.column} = {given}" if self.column else self.condition


class Sort:
    """A sort order: the expressions of its key with their types, and whether each falls."""

    def __init__(self, name, text):
        self.name = name
        self.keys = [re.fullmatch(r"(\w+)\.(\w+)( desc)?", each) for each in text.split(", ")]
        if None in self.keys or len({bool(each[3]) for each in self.keys}) > 1:
            raise Wrong(f"sort {name}: not `t.column, …` or `t.column desc, …`")
        self.columns = [each[2] for each in self.keys]
        self.falls = bool(self.keys[0][3])

    def tail(self, falls):
        return ", ".join(column + (" desc" if falls else "") for column in self.columns)

    def indexes(self, prefix):
        """The columns of an index that serves the order, read forwards or backwards."""
        return {f"({prefix}{self.tail(falls)})" for falls in (False, True)}


def with_values(text, own=None):
    """`$name` becomes the value of the parameter, `$` that of the filter itself, and `$[]` the array of its values."""
    def value(match):
        text = f"($1::jsonb ->> '{match[1] or own}')"
        return f"string_to_array({text}, ',')" if match[2] else text
    return re.sub(r"\$(\w*)(\[\])?", value, text)


def both(conditions):
    return "\n            and ".join(each for each in conditions if each != "true") or "true"


class List:
    def __init__(self, lines, tables):
        self.parts, self.sorts, self.filters, self.few, self.of = {}, [], [], [], None
        self.used, self.row = set(), None
        for line in "\n".join(lines).replace("\n--     ", " ").splitlines():
            if line and not line.startswith("--"):
                raise Wrong(f"a list has declarations only: {line}")
            self.declare(line.removeprefix("-- "))
        if not self.row or not self.sorts or not (self.parts or self.few):
            raise Wrong("declare `row:`, `sort …:` and `part …:` or `few:`")
        self.indexes, self.types = tables.indexes.get(self.table, set()), tables.types.get(self.table, {})
        self.check()

    # ---- reading ----

    def declare(self, line):
        if line.startswith("  "):
            detail = DETAIL.fullmatch(line.strip())
            if not detail:
                raise Wrong(f"not `index (column, …)` or `range order`: {line.strip()}")
            self.detail(*detail.groups())
            return
        match = DECLARATION.fullmatch(line)
        if not match:
            return  # a comment
        (kind, _, words), text = match[1].partition(" "), match[2]
        if kind == "row":
            self.row = re.fullmatch(r"(\w+) (\w+): (.+)", text)
            if not self.row:
                raise Wrong(f"not `row: table alias: document`: {text}")
            self.table, self.alias, self.document = self.row.groups()
        elif kind == "of":
            self.of = re.fullmatch(r"(\w+) (\w+): (.+)", text)
            self.used |= set(re.findall(r"\$(\w+)", text))
        elif kind == "sort":
            self.sorts.append(Sort(words, text))
        elif kind == "filter":
            self.filters.append(Filter(words, text))
        else:
            self.used |= set(re.findall(r"\$(\w+)", text))
            if kind == "few":
                self.few.append(with_values(text))
            else:
                self.parts[words] = with_values(text)

    def detail(self, index, sort, condition):
        if not self.filters:
            raise Wrong("`index` and `range` belong below a filter")
        latest = self.filters[-1]
        if index:
            latest.indexes.append(index)
        else:
            latest.ranges[sort] = with_values(condition, latest.name) if condition else latest.condition

    def prefix(self, part):
        return "" if part == "all" else part + ", "

    def served(self, part, sort):
        """The filters that an index serves in this order, in the order of the declaration. An index on other columns
        than those of part and order (`index (case_id)`) is for a filter that few rows match: it serves every order."""
        def serves(index):
            columns = index.partition(" where ")[0]
            prefix = "(" + self.prefix(part)
            if any(columns.endswith(f", {each.tail(falls)})") for each in self.sorts for falls in (False, True)):
                return columns.startswith(prefix) and any(
                    columns.endswith(f"{end}{sort.tail(falls)})") for end in ("(", ", ") for falls in (False, True))
            return True
        return [one for one in self.filters if any(map(serves, one.indexes))]

    def check(self):
        for sort in self.sorts:
            for column in sort.columns:
                if column not in self.types:
                    raise Wrong(f"sort {sort.name}: {self.table} has no column {column}")
        for part, condition in self.parts.items():
            # An index of some rows serves a part that has only those.
            conditions = condition.replace(f"{self.alias}.", "")
            usable = {index.partition(" where ")[0] for index in self.indexes
                      if index.partition(" where ")[2] in conditions}
            for sort in self.sorts:
                if not sort.indexes(self.prefix(part)) & usable:
                    raise Wrong(f"sort {sort.name} needs an index on {self.table} "
                                f"({self.prefix(part)}{sort.tail(sort.falls)})")
        names = {sort.name for sort in self.sorts}
        for one in self.filters:
            for index in one.indexes:
                if index not in self.indexes:
                    raise Wrong(f"filter {one.name}: no index on {self.table} {index}")
            for sort in one.ranges:
                if sort not in names:
                    raise Wrong(f"filter {one.name}: a range of {sort}, which is no sort order")

    def parameters(self):
        """The parameters that the list declares, for bind.py: each with its values, None for any value, or SEVERAL."""
        declared = {name: None for name in self.used if not (self.of and "$" + name in self.of[3])}
        for one in self.filters:
            values = declared.get(one.name) or []
            declared[one.name] = sorted([*values, one.value]) if one.value else SEVERAL if one.several else None
        if len(self.sorts) > 1:
            declared["sort"] = [sort.name for sort in self.sorts]
        return declared

    # ---- writing ----

    def order(self, rows, sort):
        return ", ".join(f"{rows}.{column}{' desc' if sort.falls else ''}" for column in sort.columns)

    def behind(self, sort):
        values = [f"($2::jsonb ->> {n})::{self.types[column]}" for n, column in enumerate(sort.columns)]
        row = ", ".join(f"{self.alias}.{column}" for column in sort.columns)
        if len(values) == 1:
            return f"{row} {'<' if sort.falls else '>'} {values[0]}"
        return f"({row}) {'<' if sort.falls else '>'} ({', '.join(values)})"

    def keyset(self, sort):
        return f"($2::jsonb is null or {self.behind(sort)})"

    def inside(self, part, sort, of):
        """The conditions that a scan in this order applies: `of` the filter that it begins with, and each range."""
        conditions, earlier = [], []
        for one in self.served(part, sort):
            conditions.append(f"({' or '.join([one.absent, *(each.given for each in earlier)])} or {of(one)})")
            earlier.append(one)
        conditions += [f"({one.absent} or {one.ranges[sort.name]})" for one in self.filters if sort.name in one.ranges]
        return both(conditions)

    def scans(self, part, sort, several, write):
        """The text of a scan that begins with one value of a filter; and, if `several`, that of a scan for each value.
        `write(conditions, share, keys)` writes a scan that reads its share of the rows, in the order of the keys.

        PostgreSQL plans the scan for each value without knowing the value. It would read another index in order if it
        expected most rows to match. So the column of the filter is compared as a range and is the first key of the
        order: only the index of the filter has that."""
        served = self.served(part, sort)
        begins = {one: both([*(each.absent for each in served[:place]), one.many])
                  for place, one in enumerate(served) if one.column}
        one_value = self.inside(part, sort, lambda one: one.single)
        if not several or not begins:
            return [write([one_value], "", "")]
        split = " or ".join(f"({condition})" for condition in begins.values())
        values = f"case {' '.join(f'when {one.given} then {one.values}' for one in begins)} end"
        directions = {one: self.direction(part, sort, one) for one in begins}
        keys = "".join(f"case when {begins[one]} then {one.column} end{direction}, "
                       for one, direction in directions.items() if direction is not None)
        each = self.inside(part, sort, lambda one: one.condition if one not in begins else (
            f"{one.column} = v.value" if directions[one] is None else
            f"{one.column} >= v.value and {one.column} <= v.value"))
        scan = write([f"({split})", each], f" / cardinality({values})", keys)
        return [write([f"not ({split})", one_value], "", ""),
                f"(select s.* from unnest({values}) v (value) cross join lateral {scan} s)"]

    def direction(self, part, sort, one):
        """How the column of a filter must be sorted before the sort order, so that the index of the filter serves both:
        '' or ' desc'; None if its index does not have the order."""
        column = one.column.partition(".")[2]
        for falls in (False, True):
            if f"({self.prefix(part)}{column}, {sort.tail(falls)})" in one.indexes:
                return "" if falls == sort.falls else " desc"
        return None

    def matches(self):
        if not self.filters:
            return "$1::jsonb is not null"  # PostgreSQL must know the type of each parameter
        return both([f"({one.absent} or {one.condition})" for one in self.filters])

    def other_ways(self, part, sort):
        """The other orders, and when each is the better way: a filter that it serves is given, and none with an index
        in this one. At most one of them is the better way."""
        here, found, before = self.served(part, sort), [], []
        for other in self.sorts:
            there = [one for one in self.filters if one not in here and sort.name not in one.ranges
                     and (one in self.served(part, other) or other.name in one.ranges)]
            if there and set(other.columns) != set(sort.columns):
                given = " or ".join(one.given for one in there)
                found.append((other, "(" + both([f"({given})", *(one.absent for one in [*here, *before])]) + ")"))
                before += there
        return found

    def few_rows(self, name, part, condition, way, columns, several):
        """The rows of a part that match a filter which another order serves, up to one more than FEW."""
        (other, gate), row = way, self.alias
        union = "\n    union all\n    ".join(self.scans(part, other, several, lambda inside, _, keys: f"""(
        select {row}, {columns}, false as edge
        from {self.table} {row}
        where {both([gate, condition, *inside])}
        order by {keys}{self.order(row, other)}
        limit {FEW + 1})"""))
        return f"{name} as materialized (\n    select * from (\n    {union}) f\n    limit {FEW + 1}\n)"

    def write(self, sort, several):
        """Returns the text of the statement for a sort order; if `several`, for requests with several values of a
        filter, too."""
        row = self.alias
        columns = ", ".join(f"{row}.{name}" for name in sort.columns)
        shown = ", ".join(f"s.{name}" for name in [row, *sort.columns])
        costly = " or ".join(one.given for one in self.filters if one.costly)
        bound = f"(case when {costly} then {SCANNED_COSTLY} else {SCANNED} end)" if costly else str(SCANNED)
        tables, rows = [], []
        for part, condition in self.parts.items():
            in_order = []
            for number, way in enumerate(self.other_ways(part, sort)):
                few = f"few_of_{part}_{number}"
                tables.append(self.few_rows(few, part, condition, way, columns, several))
                in_order.append(f"(not {way[1]} or (select count(*) from {few}) > {FEW})")
                rows.append(f"(select * from {few} where (select count(*) from {few}) <= {FEW})")
            conditions = [condition, *in_order, self.keyset(sort)]
            # pylint: disable=cell-var-from-loop
            rows += self.scans(part, sort, several, lambda inside, share, keys: f"""(
            select {shown}, s.nth = {bound}{share} as edge from (
            select {row}, {columns}, row_number() over (order by {keys}{self.order(row, sort)}) as nth
            from {self.table} {row}
            where {both([*conditions, *inside])}
            order by {keys}{self.order(row, sort)}
            limit {bound}{share}) s)""")
        for condition in self.few:
            rows.append(f"(select {row}, {columns}, false as edge from {self.table} {row} where {condition})")
        return self.page(sort, tables, rows)

    def page(self, sort, tables, rows):
        """The page: the first matching rows of all parts, up to the first row behind which a part has more to read."""
        source, group = "page", ""
        if self.of:
            table, alias, condition = self.of.groups()
            source = f"{table} {alias} left join page on true\nwhere {with_values(condition)}"
            group = f"\ngroup by {alias}.id"
        union = "\n        union all\n        ".join(rows)
        # The alias is a column of what the parts give.
        matched = re.sub(rf"\b{self.alias}\.(?=\w)", f"(r.{self.alias}).", both([self.keyset(sort), self.matches()]))
        matched = matched.replace(f"({self.alias})", f"(r.{self.alias})")
        key = "json_build_array(" + ", ".join(f"page.{column}" for column in sort.columns) + ")"
        return f"""with {", ".join([*tables, ""])}seen as (
    select r.*, {matched} as matched
    from (
        {union}) r
), page as (
    select f.*, row_number() over o as place,
        coalesce(bool_or(edge) over (o rows between unbounded preceding and 1 preceding), false) as beyond
    from (select * from seen where matched or edge order by {self.order("seen", sort)} limit $3::bigint + 1) f
    window o as (order by {self.order("f", sort)})
)
select coalesce(json_agg({self.document} order by place) filter (where place <= $3::bigint and matched and not beyond),
        '[]') as items,
    case when bool_or(place > $3::bigint or edge) then (json_agg({key} order by place desc)
        filter (where place <= $3::bigint and not beyond)) -> 0 end as next
from {source}{group}"""

    def variants(self):
        """Returns (sort order, whether for requests with several values of a filter, text) of each statement. The first
        one that matches a request is right; the first sort order is the default."""
        found = []
        for sort in self.sorts:
            one_value, several = self.write(sort, False), self.write(sort, True)
            found += [(sort.name, True, several)] if several != one_value else []
            found.append((sort.name, False, one_value))
        return found


def text_for(variants, request):
    """The text of the statement for the parameters of a request, as service/http/default_handlers.c chooses it."""
    wanted = request.get("sort") or variants[0][0]
    several = any("," in value for value in request.values())
    return next(text for sort, split, text in variants if sort == wanted and (several or not split))
