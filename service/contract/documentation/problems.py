"""The pages of the problems: all of them, and one for each code, which is the `type` of the problem."""
from markup import code, escape, link, render_heading, render_terms, render_text


def describe(problem):
    """Returns HTML of one problem."""
    again = "Yes." if problem["retryable"] else "No."
    terms = (("Meaning", render_text(problem["meaning"])), ("Advice", render_text(problem["what_to_do"])),
             ("Can the same request succeed later?", again))
    return f"<p>{code(problem['code'])}, status {problem['status']}</p>\n{render_terms(terms)}"


def render_problems(problems):
    return "".join(
        f"<section>\n{render_heading(2, 'problem-' + each['code'], escape(each['title']))}{describe(each)}"
        f"<p>{link('/v1/problems/' + each['code'], 'Page of this problem')}</p>\n</section>\n" for each in problems)


def render_problem(problem):
    return (describe(problem) + "<p>Programs get the same as JSON at this address.</p>\n"
            f"<p>{link('#problems', 'All problems')}. {link('#errors', 'How to react to errors')}.</p>\n")
