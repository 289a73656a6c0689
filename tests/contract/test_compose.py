"""The compose file and the Dockerfile: valid by the specification, and as safe as is promised."""

import re
from copy import deepcopy
from ipaddress import ip_network
from typing import Any

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from app.settings import Settings
from tests.support.dockerfile import instructions, last_stage
from tests.support.proxy import CONFIGURATION
from tests.support.service import ROOT

ONE_SHOTS = ("migrate", "load")
OURS = ("chancery", *ONE_SHOTS)
COMPLETED = {"condition": "service_completed_successfully"}
HEALTHY = {"condition": "service_healthy"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def faults(compose: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(get_builtin_schema("vendor.compose-spec"))
    return [error.json_path for error in validator.iter_errors(compose)]


def test_the_compose_file_follows_the_specification(compose: dict[str, Any]) -> None:
    assert faults(compose) == []


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("cap_dorp", ["ALL"], "$.services.chancery"),
        ("read_only", ["yes"], "$.services.chancery.read_only"),
        ("depends_on", {"migrate": "done"}, "$.services.chancery.depends_on"),
    ],
)
def test_a_broken_compose_file_is_refused(
    compose: dict[str, Any], key: str, value: Any, place: str
) -> None:
    broken = deepcopy(compose)
    broken["services"]["chancery"][key] = value
    assert place in faults(broken)


def test_only_the_proxy_publishes_a_port_and_only_to_this_machine(
    services: dict[str, Any],
) -> None:
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert published == {"proxy": ["127.0.0.1:8000:8000"]}
    assert not any(one.get("network_mode") for one in services.values())


def test_the_proxy_is_the_one_that_is_tested_and_stands_before_the_service(
    compose: dict[str, Any],
) -> None:
    proxy = compose["services"]["proxy"]
    (mounted,) = proxy["configs"]
    assert mounted["target"] == "/usr/local/etc/haproxy/haproxy.cfg"
    assert ROOT / compose["configs"][mounted["source"]]["file"] == CONFIGURATION
    assert proxy["environment"] == {"PROXY_LISTEN": ":8000", "PROXY_SERVER": "chancery:8000"}
    assert proxy["depends_on"] == {"chancery": HEALTHY}
    # In this house only the proxy asks the service, from whatever address Docker gives it.
    trusted = compose["services"]["chancery"]["environment"]["CHANCERY_TRUSTED_PROXIES"]
    assert Settings(trusted_proxies=trusted).trusted_proxies == trusted
    assert all(ip_network(each).is_private for each in trusted.split(","))


def test_the_data_lies_in_a_named_volume_where_the_image_keeps_it(compose: dict[str, Any]) -> None:
    database = compose["services"]["database"]
    assert database["image"] == "postgres:18"
    assert database["volumes"] == ["database:/var/lib/postgresql"]
    assert list(compose["volumes"]) == ["database"]


def test_the_password_can_be_set_and_both_sides_take_the_same(services: dict[str, Any]) -> None:
    password = services["database"]["environment"]["POSTGRES_PASSWORD"]
    assert re.fullmatch(r"\$\{CHANCERY_DATABASE_PASSWORD(:-\w+|:\?.+)\}", password)
    for name in OURS:
        environment = services[name]["environment"]
        assert environment["PGPASSWORD"] == password
        assert environment["CHANCERY_DATABASE_URL"].endswith("@database:5432/chancery")


def test_migrations_run_once_before_the_service_and_after_the_database(
    services: dict[str, Any],
) -> None:
    assert services["migrate"]["command"] == ["chancery", "migrate"]
    assert services["migrate"]["depends_on"] == {"database": HEALTHY}
    assert services["chancery"]["depends_on"] == {"database": HEALTHY, "migrate": COMPLETED}
    assert services["load"]["command"] == ["chancery", "load"]
    assert services["load"]["depends_on"] == {"migrate": COMPLETED}
    assert services["load"]["profiles"], "The sample timeline is loaded only when asked for."
    assert {services[name]["restart"] for name in ONE_SHOTS} == {"no"}


def test_what_keeps_running_is_restarted_and_has_a_health_check(services: dict[str, Any]) -> None:
    running = ("database", "chancery", "proxy")
    assert {services[name]["restart"] for name in running} == {"unless-stopped"}
    assert services["proxy"]["healthcheck"]["test"][-1] == ": </dev/tcp/127.0.0.1/8000"
    # Over the network, because the server that fills a new volume answers on its socket.
    assert services["database"]["healthcheck"]["test"][:3] == [
        *("CMD", "pg_isready", "--host=127.0.0.1")
    ]
    assert "healthcheck" not in services["chancery"], "It would replace the image's."
    assert "/readyz" in last_stage()["HEALTHCHECK"].words()[-1]


def test_the_proxy_can_write_nothing_and_gain_nothing(services: dict[str, Any]) -> None:
    proxy = services["proxy"]
    assert proxy["read_only"] is True
    assert proxy["cap_drop"] == ["ALL"]
    assert proxy["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "volumes"} & set(proxy)


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_write_nothing_and_gain_nothing(
    services: dict[str, Any], name: str
) -> None:
    one = services[name]
    assert one["read_only"] is True
    assert one["tmpfs"] == "/tmp"  # noqa: S108 - A file system of the container's own.
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["init"] is True
    assert not {"privileged", "cap_add", "user", "volumes"} & set(one)


def test_the_image_is_pinned_and_its_process_is_not_root() -> None:
    bases = [one.argument for one in instructions() if one.name == "FROM"]
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+ AS python", bases[0])
    assert {base.split()[0] for base in bases[1:]} == {"python"}
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last_stage()["USER"].argument)


def test_the_last_stage_holds_the_environment_and_no_tools_to_build() -> None:
    last = last_stage()
    assert last["COPY"].argument == "--from=build /opt/chancery /opt/chancery"
    assert last["CMD"].words() == ["chancery", "serve", "--host", "0.0.0.0"]  # noqa: S104
    runs = " ".join(
        one.argument
        for one in instructions()
        if one.name == "RUN" and one.stage == last["RUN"].stage
    )
    assert not re.search(r"\b(apt|apt-get|pip|gcc)\b", runs)


def test_dependencies_are_installed_by_hash_and_the_project_without_any() -> None:
    installs = [one.argument for one in instructions() if "pip install" in one.argument]
    assert [install.partition(" install ")[2] for install in installs] == [
        "--require-hashes -r requirements.lock",
        "--no-deps --no-build-isolation .",
    ]
