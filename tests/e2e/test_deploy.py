"""What deploy/ has: the unit for systemd, the property list for launchd, alerts and the dashboard."""

import json
import plistlib
import re
import subprocess

import pytest
from server import ROOT, TINY_BGE_M3, Server

DEPLOY = ROOT / "deploy"


def installed(template, directory):
    """The file that cmake --install writes, with a program that is on every system."""
    text = template.read_text().replace("@PROGRAM@", "/bin/true").replace("@CONFIG_DIR@", "/etc/e")
    assert not re.search("@[A-Z_]+@", text)
    file = directory / template.stem
    file.write_text(text)
    return file


def run(*command):
    result = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_systemd_takes_the_unit(tmp_path):
    unit = installed(DEPLOY / "systemd/embedding-service.service.in", tmp_path)
    said = run("systemd-analyze", "verify", "--man=no", unit)
    assert "embedding-service" not in said, said


def test_the_unit_is_closed_to_what_the_server_does_not_need(tmp_path):
    unit = installed(DEPLOY / "systemd/embedding-service.service.in", tmp_path)
    # In tenths; what is left are the network and /proc.
    said = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
    assert re.search(r"Overall exposure level for embedding-service.service: 1\.[0-5] OK", said), said


def test_launchd_would_find_what_it_needs(tmp_path):
    agent = plistlib.loads(installed(DEPLOY / "launchd/embedding-service.plist.in", tmp_path).read_bytes())
    assert agent["ProgramArguments"] == ["/bin/true", "serve"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


def test_alerts_fire_for_what_they_say():
    run("promtool", "check", "rules", DEPLOY / "prometheus/alerts.yml")
    run("promtool", "test", "rules", ROOT / "tests/data/alerts_test.yml")


@pytest.fixture(scope="module")
def metrics():
    with Server(TINY_BGE_M3, "--api-key", "k", "--rate-limit-requests", "1") as server:
        assert server.post("/embed", {"texts": ["a", "b"]}, headers={"X-API-Key": "k"}).ok
        while server.post("/embed", {"texts": 1}, headers={"X-API-Key": "k"}).status_code != 429:
            pass
        server.post("/embed", {"texts": ["a"]})
        return server.get("/metrics").text


def test_promtool_finds_nothing_wrong_with_the_metrics(metrics):
    result = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True)
    # Exit code 3 is a matter of style: text-embeddings-inference's names lack _total and _seconds.
    assert result.returncode in (0, 3), result.stderr
    for line in result.stderr.splitlines():
        assert re.search(r"_total|base unit|non-counter|non-histogram", line), line


def test_alerts_and_dashboard_use_metrics_that_there_are(metrics):
    dashboard = json.loads((DEPLOY / "grafana/embedding-service.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 8
    asked.append((DEPLOY / "prometheus/alerts.yml").read_text())
    names = set(re.findall(r"\b((?:te|embedding)_[a-z_]+)\b(?!=)", " ".join(asked)))
    there = set(re.findall(r"^# TYPE (\S+) ", metrics, re.M))
    there |= {name + ending for name in there for ending in ("_bucket", "_sum", "_count")}
    assert names <= there, names - there
