"""Draws the stages of a case from the data that the database gets (sql/case/lifecycle.yaml): the picture cannot differ
from the rules."""
import yaml

from markup import code, escape, render_terms

LEFT, WIDTH, HEIGHT, STEP, TOP = 250, 200, 34, 74, 20


class Machine:
    def __init__(self, path):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.states = [(stage["code"], stage["label"]) for stage in data["stages"]]
        self.conditions = {guard["code"]: (guard["message"], guard["responsible"]) for guard in data["guards"]}
        self.moves = [(move["from"], move["to"], move["way"], move["label"], move.get("reasons", []),
                       move.get("guards", [])) for move in data["moves"]]
        self.place = {code: index for index, (code, _) in enumerate(self.states)}

    def middle(self, code):
        return TOP + self.place[code] * STEP + HEIGHT // 2

    def draw_state(self, code, label):
        y = TOP + self.place[code] * STEP
        return (f'<rect x="{LEFT}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
                f'<text x="{LEFT + WIDTH // 2}" y="{y + 22}">{escape(label)}</text>\n')

    def draw_move(self, source, target, way, lane):
        """A straight arrow to the next state; else a bow, forwards on the right and backwards on the left."""
        start, end = self.middle(source), self.middle(target)
        if self.place[target] == self.place[source] + 1 and way == "ordinary":
            x = LEFT + WIDTH // 2
            path = f"M{x} {start + HEIGHT // 2} V{end - HEIGHT // 2}"
        else:
            forwards = end > start
            x = LEFT + WIDTH if forwards else LEFT
            reach = x + (24 + lane * 11) * (1 if forwards else -1)
            path = f"M{x} {start} C{reach} {start} {reach} {end} {x} {end}"
        return f'<path class="{way}" d="{path}" marker-end="url(#arrow)"/>\n'

    def draw(self):
        lanes = {True: 0, False: 0}
        moves = ""
        for source, target, way, *_ in sorted(
                self.moves, key=lambda move: abs(self.place[move[0]] - self.place[move[1]])):
            forwards = self.place[target] > self.place[source]
            lanes[forwards] += 1
            moves += self.draw_move(source, target, way, lanes[forwards])
        height = TOP * 2 + (len(self.states) - 1) * STEP + HEIGHT
        states = "".join(self.draw_state(*state) for state in self.states)
        return (f'<svg viewBox="0 0 700 {height}" role="img" aria-labelledby="machine-title machine-text">\n'
                '<title id="machine-title">The stages of a case and the moves between them</title>\n'
                '<desc id="machine-text">The list below says the same in words. Solid arrows are the usual '
                "way, dashed ones leave the process, dotted ones lead back or open the case again.</desc>\n"
                '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
                'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>\n'
                f"{moves}{states}</svg>\n")

    def render_conditions(self, guards):
        if not guards:
            return "No conditions."
        items = "".join(f"<li>{code(each)}: {escape(self.conditions[each][0])} "
                        f"({escape(self.conditions[each][1].replace('_', ' '))})</li>" for each in guards)
        return f"Conditions, and who can meet them:<ul>{items}</ul>"

    def render_moves(self):
        labels = dict(self.states)
        rows = [(f"{escape(labels[source])} to {escape(labels[target])}: {escape(label)} ({escape(way)})",
                 self.render_conditions(guards)
                 + (f"<p>Reasons: {', '.join(map(code, reasons))}.</p>" if reasons else ""))
                for source, target, way, label, reasons, guards in self.moves]
        return render_terms(rows)


def render_machine(path):
    """Returns HTML: the picture, and the list that says the same in words."""
    machine = Machine(path)
    return ('<div class="wide machine" tabindex="0" role="group" aria-label="Picture of the stages">\n'
            f"{machine.draw()}</div>\n{machine.render_moves()}")
