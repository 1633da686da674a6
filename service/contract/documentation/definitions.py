"""The definitions of the statistics, from the rows that the database gets (sql/statistics/rows.sql)."""
import re

from markup import code, escape, link, render_heading, render_inline, render_terms


def words_of(literal):
    """Returns the words of an array literal of SQL."""
    return [word for word in literal.strip("{}").split(",") if word]


def describe_categories(sql):
    """Returns HTML of the categories: written out, the codes of a list, or the stages."""
    found = re.search(r"codes\('([a-z-]+)'\)(?: \|\| text '(\w+)')?", sql)
    if found:
        return f"the codes of the code list {code(found[1])}" + (f", and {code(found[2])}" if found[2] else "")
    return "the stages of open cases" if sql.startswith("array") else ", ".join(map(code, words_of(sql)))


def describe_released(parts):
    rows = [f"<li>{code(breakdown) if breakdown else 'without breakdown'}: {escape(period.replace('_', ' '))}; "
            f"counts below {threshold} are hidden{'; sensitive' if sensitive == 'true' else ''}</li>"
            for _, breakdown, period, _, _, threshold, sensitive in parts]
    return f"<ul>{''.join(rows)}</ul>" if rows else "Live view only."


def render_definition(row, breakdowns, released):
    name, label, count_of, dated_by, _, snapshot, category, categories, figures, definition = row
    terms = [("Definition", render_inline(definition)), ("Counts", escape(count_of)), ("Dated by", escape(dated_by)),
             ("Figures", ", ".join(map(code, words_of(figures))))]
    if snapshot == "true":
        terms.append(("Shows", "items that are open now"))
    if category != "null":
        terms.append((f"Categories ({code(category)})", describe_categories(categories)))
    if breakdowns:
        terms.append(("Breakdowns", ", ".join(map(code, breakdowns))))
    terms.append(("Released", describe_released(released)))
    heading = render_heading(2, "table-" + name, escape(label))
    return f"<section>\n{heading}<p>{code(name)}</p>\n{render_terms(terms)}</section>\n"


def render_definitions(tables, breakdowns, released):
    text = (f"<p>{link('#operation-listStatistics', 'GET /v1/statistics')} returns these definitions, and "
            f"{link('#operation-getStatistics', 'GET /v1/statistics/{table}')} the figures. "
            f"{link('#tag-statistics', 'Statistics')} explains the views, releases and periods.</p>\n")
    return text + "".join(render_definition(row, [each[1] for each in breakdowns if each[0] == row[0]],
                                            [each for each in released if each[0] == row[0]]) for row in tables)
