"""The metrics as Prometheus reads them, by its own client's parser."""

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    """All samples of one answer."""

    def __init__(self, response: httpx.Response) -> None:
        """Parse the answer."""
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.families: dict[str, Metric] = {}
        for family in text_string_to_metric_families(response.text):
            # A family that is torn in two is one that Prometheus refuses.
            assert family.name not in self.families
            assert family.documentation
            self.families[family.name] = family

    def values(self, sample: str, **labels: str) -> list[float]:
        """Return the values of a sample that has these labels, perhaps among others."""
        return [
            each.value
            for family in self.families.values()
            for each in family.samples
            if each.name == sample and labels.items() <= each.labels.items()
        ]

    def total(self, sample: str, **labels: str) -> float:
        """Return the sum of these values, of which there must be one at least."""
        values = self.values(sample, **labels)
        assert values, (sample, labels)
        return sum(values)

    def workers(self) -> dict[str, float]:
        """Return which workers there are, and whether each told its numbers."""
        family = self.families["chancery_worker_up"]
        return {each.labels["worker"]: each.value for each in family.samples}
