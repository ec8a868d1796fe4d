"""What came of one client's run, and how it is said. Runs nothing but the client."""

from dataclasses import dataclass

from harness.gateway import Gateway
from matrix.clients import Client
from matrix.script import ALL, FEATURES, Step, steps


@dataclass
class Outcome:
    """One client against all servers."""

    client: Client
    protocol: str
    #: Each step that the client has means for, with what was wrong.
    made: list[tuple[Step, str | None]]

    def wrong(self) -> list[str]:
        """What went wrong."""
        return [f"{step.server}, {step.feature}: {why}" for step, why in self.made if why]

    def shown(self) -> dict[str, set[str]]:
        """The features that went well, each with the servers that the client showed it with."""
        good = [step for step, why in self.made if not why]
        return {feature: {step.server for step in good if step.feature == feature} for feature in FEATURES}

    def unable(self) -> list[str]:
        """The features that this client has no means for, with any server."""
        made = {step.feature for step, _ in self.made}
        return [feature for feature in FEATURES if feature not in made]

    def line(self) -> str:
        servers = {step.server for step, _ in self.made} - {ALL}
        counts = {feature: len(shown - {ALL}) or "all" for feature, shown in self.shown().items() if shown}
        said = f"{self.client} ({self.protocol}), {len(servers)} servers: "
        said += ", ".join(f"{feature} {count}" for feature, count in counts.items())
        if self.unable():
            said += f"; has no means for: {', '.join(self.unable())}"
        return f"not ok - {said}; {'; '.join(self.wrong())}" if self.wrong() else f"ok - {said}"


def play(client: Client, gateway: Gateway, command: list[str] | None = None) -> Outcome:
    """Runs the client through the whole script; with a command, over the standard streams of what that starts."""
    script = [step for step in steps(gateway, str(client)) if step.feature not in client.cannot]
    protocol, lines = client.play(gateway, script, command)
    lines += [{"error": "the client ended before"}] * (len(script) - len(lines))
    made = [(step, step.wrong(line)) for step, line in zip(script, lines, strict=True)]
    return Outcome(client, protocol, made)
