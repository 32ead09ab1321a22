"""The page of figures: made of whatever has been measured, each row judged by its goals."""

from tests.bench.alone import batch
from tests.bench.report import render
from tests.bench.results import Result
from tests.bench.rows import ROWS


def figures(per_second: float, p50_ms: float = 1.0, p99_ms: float = 2.0) -> dict[str, float]:
    return {
        "per_second": per_second,
        "p50_ms": p50_ms,
        "p99_ms": p99_ms,
        "client_cpu": 0.5,
        "server_cpu": 1.0,
    }


def result(part: str, measured: object, variant: str = "") -> Result:
    return Result(part, variant, f"python -m tests.bench {part}", ["2 cores"], measured)


def line(page: str, row: str) -> list[str]:
    (found,) = [one for one in page.splitlines() if one.startswith(f"| {row} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_a_row_says_which_goals_each_front_meets() -> None:
    measured = {"etcd": figures(1000), "native": figures(1000), "grpcio": figures(299)}
    page = render({"put": result("put", {"Put, 4 in flight": measured})})
    cells = line(page, "Put, 4 in flight")
    assert cells[2:6] == ["1,000", "1.00", "0.7 / 1", "aim met"]
    assert cells[6:10] == ["299", "0.30", "0.3", "**not met**"]


def test_latency_has_limits_and_no_ratio_to_reach() -> None:
    measured = {"etcd": figures(100, 0.1, 0.2), "native": figures(90, 1.9, 9.9)}
    page = render({"latency": result("latency", {"put to event, idle server": measured})})
    assert line(page, "put to event, idle server")[2:6] == [
        "1.90",
        "19.00",
        "2, 10 ms / 0.5, 3 ms",
        "met",
    ]


def test_limits_of_latency_do_not_hold_on_a_slower_disk() -> None:
    measured = {"etcd": figures(100, 6.0, 9.0), "native": figures(90, 7.0, 20.0)}
    slow = result("latency", {"put to event, idle server": measured}, "sync-5ms")
    page = render({slow.name: slow})
    assert "each sync 5ms longer" in page
    assert line(page, "put to event, idle server")[4:6] == ["", ""]


def test_each_table_names_the_command_that_made_it() -> None:
    page = render({"batch": result("batch", {"idle": 2.0, "saturated": 7.0})})
    assert "`python -m tests.bench batch`; 2 cores" in page
    assert "3.50 | 3 | **not met**" in batch(result("batch", {"idle": 2.0, "saturated": 7.0}))


def test_databases_are_judged_beside_etcd() -> None:
    rates = {"etcd": 1000.0, "native": 900.0, "PostgreSQL": 450.0, "MariaDB": 449.0}
    measured = {
        "Put, 256 in flight": {name: figures(rate) for name, rate in rates.items()},
        "commits": {"PostgreSQL": {"per_put": 0.02}, "MariaDB": {"per_put": 0.2}},
        "two servers": {"one": {"per_second": 100.0}, "two": {"per_second": 79.0}},
    }
    page = render({"databases": result("databases", measured)})
    assert line(page, "Put, 256 in flight")[3:] == [
        *("450", "0.45", "0.45", "met"),
        *("449", "0.45", "0.45", "**not met**"),
    ]
    assert line(page, "commits of MariaDB per put")[1:] == ["0.200", "at most 0.1", "**not met**"]
    assert line(page, "two servers on one PostgreSQL, to one")[3] == "**not met**"


def test_growth_on_a_database_has_a_section_of_its_own() -> None:
    measured = {
        "put": {"small": 151.0, "large": 100.0},
        "costs": {"start_s": 3.0, "rest_mib": 90.0, "idle_cpu": 0.6},
    }
    page = render({part: result(part, measured) for part in ("growth", "growth-mariadb")})
    alone, on_mariadb = page.split("## As the store grows, on MariaDB")
    assert line(on_mariadb, "put")[1:] == ["151", "100", "1.51", "1.5", "**not met**"]
    assert line(alone, "CPU at rest")[3] == "**not met**"
    assert line(on_mariadb, "CPU at rest")[3] == "met"


def test_admission_may_cost_a_share_of_what_a_create_does_without() -> None:
    cheap = {"p50_ms": 1.0, "cpu_us": 500.0, "per_second": 900.0, "cpu_us_together": 450.0}
    dear = {"p50_ms": 1.2, "cpu_us": 660.0, "per_second": 600.0, "cpu_us_together": 580.0}
    made = {place: {"with": dear, "without": cheap} for place in ("plain", "limited")}
    measured = {"made": made, "decision_us": 4.0, "rule_us": 101.0}
    page = render({"admission": result("admission", measured)})
    in_empty = "empty namespace"
    assert line(page, f"one pod, ms, {in_empty}")[1:] == [
        *("1.20", "1.00", "1.20 times", "1.3", "met")
    ]
    assert line(page, f"one pod, µs of CPU, {in_empty}")[5] == "**not met**"
    assert line(page, f"many pods, a second, {in_empty}")[3] == "1.50 times"
    assert line(page, "a decision of RBAC with 1,000 bindings, µs")[5] == "met"
    assert line(page, "a rule of a policy, µs")[4:] == ["100", "**not met**"]


def test_definitions_may_cost_memory_and_time() -> None:
    measured = {
        "rss_empty_mib": 90.0, "rss_empty_read_mib": 90.0, "rss_made_mib": 150.0,
        "rss_read_mib": 190.0, "rss_restarted_mib": 120.0, "start_empty_s": 1.5, "start_s": 10.5,
        "kib_each": 10.2, "published_s": {"discovery": 0.02, "v3": 0.05, "v2": 1.5},
    }  # fmt: skip
    page = render({"definitions": result("definitions", measured)})
    assert line(page, "RSS, when they are made, more than without")[1:] == [
        "60 MiB",
        "95 MiB",
        "met",
    ]
    assert line(page, "RSS, when documents have been read, more than without")[3] == "**not met**"
    assert line(page, "start to ready (1.5 s without)")[1:] == ["10.5 s", "10 s", "**not met**"]
    assert line(page, "one more is in OpenAPI v2, too")[1:] == ["1500 ms", "1 s", "**not met**"]


def test_nothing_measured_is_a_page_without_tables() -> None:
    assert "|" not in render({})


def test_rows_have_names_of_their_own() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
