"""The manifests: valid by Kubernetes' own schemas, restricted by its pod security standard, and consistent."""
import copy
import json
import os
import pathlib
import re

import jsonschema
import pytest
import yaml

from commands import ROOT, run

FOLDER = ROOT / "deploy" / "kubernetes"
# The oldest and the newest version whose schemas the tests use.
VERSIONS = ["v1.28.0", "v1.37.0"]


def load(name):
    return [each for each in yaml.safe_load_all((FOLDER / name).read_text()) if each]


KUSTOMIZATION = load("kustomization.yaml")[0]
EXAMPLES = load("secret.example.yaml")
MANIFESTS = [each for name in KUSTOMIZATION["resources"] for each in load(name)]
BUILT_IN = [each for each in MANIFESTS if each["kind"] != "ServiceMonitor"]  # the kinds that Kubernetes itself has
PODS = [each for each in MANIFESTS if each["kind"] in ("Deployment", "Job")]


def named(manifest):
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def find(kind, name="learning-reviews"):
    return next(each for each in MANIFESTS if named(each) == f"{kind} {name}")


def container_of(manifest):
    containers = manifest["spec"]["template"]["spec"]["containers"]
    assert len(containers) == 1
    return containers[0]


def validator_of(manifest, version):
    """Returns Kubernetes' own schema of such an object, which refuses unknown members."""
    if "LR_KUBERNETES_SCHEMAS" not in os.environ:
        pytest.skip("LR_KUBERNETES_SCHEMAS does not name a folder with schemas; tests/packaging/run does")
    folder = pathlib.Path(os.environ["LR_KUBERNETES_SCHEMAS"]) / f"{version}-local-strict"
    group, _, number = manifest["apiVersion"].rpartition("/")
    name = "-".join(filter(None, [manifest["kind"].lower(), group.split(".")[0], number]))
    schema = json.loads((folder / f"{name}.json").read_text())
    definitions = json.loads((folder / "_definitions.json").read_text())
    resolver = jsonschema.RefResolver(schema["$id"], schema, store={definitions["$id"]: definitions})
    return jsonschema.validators.validator_for(schema)(schema, resolver=resolver)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", BUILT_IN + EXAMPLES, ids=named)
def test_a_manifest_is_valid(manifest, version):
    validator_of(manifest, version).validate(manifest)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_with_an_unknown_member_is_invalid(version):
    broken = copy.deepcopy(find("Deployment"))
    container_of(broken)["readynessProbe"] = {}
    assert not validator_of(broken, version).is_valid(broken)


def test_every_file_is_used_except_the_example():
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files


def test_every_referenced_object_exists():
    assert sorted(map(named, MANIFESTS)) == sorted([
        "Namespace learning-reviews", "ConfigMap learning-reviews", "ServiceAccount learning-reviews",
        "Job learning-reviews-migrate", "Deployment learning-reviews", "Service learning-reviews",
        "PodDisruptionBudget learning-reviews", "NetworkPolicy learning-reviews", "Ingress learning-reviews",
        "Service learning-reviews-metrics", "ServiceMonitor learning-reviews"])


@pytest.mark.parametrize("manifest", PODS, ids=named)
def test_a_pod_is_restricted(manifest):
    """Checks the rules of the pod security standard's level restricted, and more."""
    pod, container = manifest["spec"]["template"]["spec"], container_of(manifest)
    assert pod["automountServiceAccountToken"] is False
    context = pod["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (
        True, 10001, 10001, 10001)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod) and "memory" in container["resources"]["limits"]
    assert find("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("manifest", PODS, ids=named)
def test_a_pod_finds_its_files_in_its_secret_and_no_other_pod_reads_them(manifest):
    pod, container = manifest["spec"]["template"]["spec"], container_of(manifest)
    secrets = {each["metadata"]["name"]: each["stringData"] for each in EXAMPLES}
    volume = pod["volumes"][0]["secret"]
    mount = container["volumeMounts"][0]["mountPath"]
    wanted = re.findall(rf"{mount}/(\S+)", " ".join(
        [*container["args"], *find("ConfigMap")["data"].values()] if "envFrom" in container else container["args"]))
    assert volume["defaultMode"] & 0o007 == 0
    assert set(wanted) == set(secrets[volume["secretName"]])


def test_the_example_has_no_real_secret():
    texts = [text for each in EXAMPLES for text in each["stringData"].values()]
    assert all("CHANGE-ME" in text and not re.search(r"password=(?!CHANGE-ME)", text) for text in texts)


def test_settings_are_known_to_the_program():
    known = set(re.findall(r'"(LR_[A-Z_]+)"', (ROOT / "service/config.c").read_text()))
    used = set(find("ConfigMap")["data"]) | {name for each in EXAMPLES for text in each["stringData"].values()
                                             for name in re.findall(r"^(LR_[A-Z_]+)=", text, re.MULTILINE)}
    assert len(used) >= 8 and used <= known


def test_production_accepts_the_settings(tmp_path, binary):
    """Except those that need a cluster's network: database and issuer."""
    for name in ("service.conf", "migrate.conf"):
        text = next(each["stringData"][name] for each in EXAMPLES if name in each["stringData"])
        (tmp_path / name).write_text(text)
    checked = run(binary, "--config", tmp_path / "service.conf", "check", env=find("ConfigMap")["data"])
    faults = re.findall(r"^(.+): FAULT: (.*)$", checked.stdout, re.MULTILINE)
    assert not {"configuration", "addresses", "TLS"} & {what for what, _ in faults}, faults
    assert [text for what, text in faults if what == "database"][0].startswith(
        "LR_DATABASE: the database cannot be reached: ")
    migrated = run(binary, "--config", tmp_path / "migrate.conf", "migrate", env={})
    assert "LR_MIGRATION_DATABASE: the database cannot be reached: " in migrated.stdout


def test_probes_use_the_admin_port():
    container = container_of(find("Deployment"))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    settings = find("ConfigMap")["data"]
    assert (settings["LR_LISTEN"], settings["LR_ADMIN_LISTEN"]) == (f":{ports['http']}", f":{ports['admin']}")
    paths = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": {"path": "/livez", "port": "admin"}, "liveness": {"path": "/livez", "port": "admin"},
                     "readiness": {"path": "/readyz", "port": "admin"}}


def test_the_service_exposes_the_api_only():
    service, deployment = find("Service")["spec"], find("Deployment")["spec"]
    assert [port["targetPort"] for port in service["ports"]] == ["http"]
    for selector in (service["selector"], find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                     deployment["selector"]["matchLabels"]):
        assert selector == deployment["template"]["metadata"]["labels"]
        assert selector["app.kubernetes.io/component"] == "service", "the service selects the migration"


def test_the_ingress_leads_clients_to_the_api():
    ingress, settings = find("Ingress")["spec"], find("ConfigMap")["data"]
    rule, = ingress["rules"]
    assert settings["LR_PUBLIC_URL"] == f"https://{rule['host']}" and ingress["tls"][0]["hosts"] == [rule["host"]]
    path, = rule["http"]["paths"]
    service = find("Service", path["backend"]["service"]["name"])
    assert path["backend"]["service"]["port"]["name"] in [port["name"] for port in service["spec"]["ports"]]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")


def test_monitoring_asks_each_pod_under_the_name_that_the_alerts_use():
    """The schemas of Kubernetes do not include the Prometheus Operator's: these are all members that it needs."""
    monitor, service = find("ServiceMonitor"), find("Service", "learning-reviews-metrics")
    assert (monitor["apiVersion"], set(monitor["spec"])) == (
        "monitoring.coreos.com/v1", {"jobLabel", "selector", "endpoints"})
    labels = service["metadata"]["labels"]
    selected = [each for each in MANIFESTS if each["kind"] == "Service"
                and monitor["spec"]["selector"]["matchLabels"].items() <= each["metadata"]["labels"].items()]
    assert selected == [service] and service["spec"]["clusterIP"] == "None"
    assert monitor["spec"]["endpoints"] == [{"port": service["spec"]["ports"][0]["name"], "path": "/metrics",
                                             "interval": "15s"}]
    assert service["spec"]["selector"] == find("Deployment")["spec"]["template"]["metadata"]["labels"]
    alerts = (ROOT / "deploy/observability/alerts.yml").read_text()
    assert set(re.findall(r'job="([^"]+)"', alerts)) == {labels[monitor["spec"]["jobLabel"]]}


def test_the_memory_of_a_pod_fits_its_configuration():
    """The handbook (Scaling) has the sum: bodies, 100 MiB, and buffers of the connections. The alert comes first."""
    memory = {name: int(each["memory"].removesuffix("Mi")) for name, each in
              container_of(find("Deployment"))["resources"].items()}
    bodies, connections = int(find("ConfigMap")["data"]["LR_BODY_MEMORY_MIB"]), int(re.search(
        r'"LR_CONNECTION_LIMIT", NUMBER, AT\(\w+\), "(\d+)"', (ROOT / "service/config.c").read_text())[1])
    alert = float(re.search(r"process_resident_memory_bytes\S* > (\S+)",
                            (ROOT / "deploy/observability/alerts.yml").read_text())[1]) / 2 ** 20
    assert bodies + 100 <= memory["requests"] < alert < memory["limits"]
    assert bodies + 100 + connections * 64 / 1024 <= memory["limits"]


def test_one_pod_survives_any_voluntary_disruption():
    assert find("Deployment")["spec"]["replicas"] > find("PodDisruptionBudget")["spec"]["minAvailable"] >= 1
    assert find("Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_draining_ends_before_a_pod_is_killed():
    usual = dict(re.findall(r'\{"(LR_DRAIN\w*)", NUMBER, AT\(\w+\), "(\d+)"', (ROOT / "service/config.c").read_text()))
    assert len(usual) == 2
    assert find("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > sum(map(int, usual.values()))


def test_the_network_policies_allow_only_required_connections():
    policy = find("NetworkPolicy")["spec"]
    for manifest in PODS:
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["ports"] and rule["from"] for rule in policy["ingress"])
    assert all(rule["ports"] and rule["to"] for rule in policy["egress"])
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == {"http", "admin"}
