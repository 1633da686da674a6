"""Documents of cases: their formats, their content, and to whom they are released."""
import hashlib
import socket
import urllib.parse

import pytest

import document_files as files
from client import ALL_SCOPES
from payloads import new_access, new_document, new_report
from scenarios import advance, make_case, move
from test_changes import follow, of
from test_timeline import timeline

LARGEST = 20971520
GOOD = [(files.TEXT, files.text()), (files.PDF, files.pdf()), (files.ODT, files.odt()), (files.DOCX, files.docx())]


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee)


@pytest.fixture(scope="module")
def inspectorate(caller):
    return caller("CI", "documents", "decisions.read notices.read observations.write changes.read")


def add(client, case, **content):
    return client.send("addDocument", new_document(**content), id=case["id"])


def place(document):
    return {"id": document["case_id"], "document_id": document["id"]}


def put(client, document, data, media_type=files.TEXT, digest=None):
    return client.send("putDocumentContent", data=data, media_type=media_type, **place(document),
                       headers={"Content-Digest": digest or files.digest_field(data)})


def get(client, document, **headers):
    return client.send("getDocumentContent", **place(document),
                       headers={name.replace("_", "-"): value for name, value in headers.items()})


def stored(client, case, data=files.text(), **content):
    document = add(client, case, **content).expect(201)
    return put(client, document, data).expect(201)


def release(client, document, organisation="CI"):
    return client.send("releaseDocument", {"organisation": organisation}, **place(document))


def short(value):
    """Returns the name of a parameter of a test: bytes have their number."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None


@pytest.mark.parametrize("media_type, data", GOOD, ids=short)
def test_each_format_is_stored_and_read_again(committee, case, media_type, data):
    document = put(committee, add(committee, case).expect(201), data, media_type).expect(201)
    assert (document["size"], document["media_type"]) == (len(data), media_type)
    assert document["digest"] == hashlib.sha256(data).hexdigest()
    reply = get(committee, document).expect(200)
    assert (reply.bytes, reply.headers["Content-Type"]) == (data, media_type)
    assert reply.headers["Repr-Digest"] == files.digest_field(data)
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="anonymised-report-')
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("media_type, data, rule", [
    (files.PDF, files.text(), "wrong_format"),
    (files.TEXT, files.pdf() + b"\0", "wrong_format"),
    (files.TEXT, b"\xff\xfe", "wrong_format"),
    (files.DOCX, files.odt(), "wrong_format"),
    (files.ODT, files.docx(), "wrong_format"),
    (files.ODT, files.odt()[:-40], "wrong_format"),
    (files.PDF, files.pdf()[:-7], "wrong_format"),
    (files.PDF, files.pdf(b"<< /OpenAction << /S /JavaScript >> >>"), "active_content"),
    (files.PDF, files.pdf(b"<< /S /J#61vaScript >>"), "active_content"),
    (files.PDF, files.pdf(b"<< /S/Launch/F(x) >>"), "active_content"),
    (files.PDF, files.pdf(b"<< /Encrypt 2 0 R >>"), "encrypted_content"),
    (files.DOCX, files.encrypted(files.docx()), "encrypted_content"),
    (files.DOCX, files.docx(("word/vbaProject.bin", b"x")), "active_content"),
    (files.ODT, files.odt(("Basic/Standard/Module1.xml", "x")), "active_content"),
    (files.DOCX, files.bomb(files.docx()), "unpacks_too_large")], ids=short)
def test_bad_content_is_refused_and_not_stored(committee, case, media_type, data, rule):
    document = add(committee, case).expect(201)
    reply = put(committee, document, data, media_type)
    assert (reply.status, reply.rules) == (422, {rule})
    assert committee.send("getDocument", **place(document))["digest"] is None
    assert get(committee, document).status == 404


def test_a_wrong_digest_is_refused(committee, case):
    reply = put(committee, add(committee, case).expect(201), b"a", digest=files.digest_field(b"b"))
    assert (reply.status, reply.rules) == (422, {"digest_mismatch"})


def test_the_largest_document_is_stored(committee, case):
    data = files.text(LARGEST)
    document = stored(committee, case, data)
    assert get(committee, document, Accept_Encoding="gzip").expect(200).bytes == data
    part = get(committee, document, Range="bytes=262100-262200").expect(206)
    assert part.bytes == data[262100:262201]


def test_content_is_stored_once(committee, case):
    document = stored(committee, case)
    again = put(committee, document, files.text())
    assert (again.status, again["version"]) == (200, document["version"])
    other = put(committee, document, b"Another text.")
    assert (other.status, other.rules) == (409, {"content_stored"})
    assert get(committee, document).bytes == files.text()


def test_a_truncated_upload_stores_nothing(committee, cluster, case):
    document = add(committee, case).expect(201)
    url = urllib.parse.urlsplit(committee.url)
    target = document["links"]["self"] + "/content"
    with socket.create_connection((url.hostname, url.port)) as link:
        link.sendall(f"PUT {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {committee.token}\r\n"
                     f"Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhalf".encode())
        link.shutdown(socket.SHUT_WR)
        while link.recv(4096):
            pass
    assert committee.send("getDocument", **place(document))["digest"] is None
    assert cluster.execute("select count(*) from register.document_piece where document_id = %s",
                           [document["id"]])[0][0] == 0


@pytest.mark.parametrize("field, first, last", [
    ("bytes=0-9", 0, 9), ("bytes=990-", 990, 999), ("bytes=-10", 990, 999), ("bytes=995-2000", 995, 999)])
def test_one_range_is_sent(committee, case, field, first, last):
    reply = get(committee, stored(committee, case), Range=field).expect(206)
    assert reply.bytes == files.text()[first:last + 1]
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/1000"


def test_other_ranges(committee, case):
    document = stored(committee, case)
    for field in ("bytes=1000-", "bytes=-0"):
        reply = get(committee, document, Range=field)
        assert (reply.status, reply.code, reply.headers["Content-Range"]) == (416, "range_not_satisfiable",
                                                                              "bytes */1000")
    for headers in ({"Range": "bytes=0-1,5-6"}, {"Range": "lines=1-2"}, {"Range": "bytes=5-2"},
                    {"Range": "bytes=0-9", "If_Range": '"other"'}):
        assert len(get(committee, document, **headers).expect(200).bytes) == 1000
    tag = get(committee, document).etag
    assert get(committee, document, Range="bytes=0-9", If_Range=tag).status == 206
    assert get(committee, document, If_None_Match=tag).status == 304


def test_a_new_version_replaces_the_former_one(committee, case):
    first = stored(committee, case)
    second = add(committee, case, replaces=first["id"]).expect(201)
    assert committee.send("getDocument", **place(first))["replaced_by"] == second["id"]
    for content, rule in (({"replaces": first["id"]}, "replaced_already"),
                          ({"replaces": second["id"], "kind": "chronology"}, "other_kind"),
                          ({"replaces": case["id"]}, "unknown_document")):
        reply = add(committee, case, **content)
        assert (reply.status, reply.pointers, reply.rules) == (422, {"/replaces"}, {rule})


def test_only_the_recipient_of_a_release_learns_of_a_document(committee, inspectorate, caller, case):
    document = stored(committee, case)
    others = [caller("HIS", "documents", "notices.read"), caller("CPC-FIF", "documents", ALL_SCOPES)]
    consumer = follow(inspectorate)
    assert inspectorate.send("listReceivedDocuments").expect(200)["items"] == []
    made = release(committee, document).expect(201)
    assert inspectorate.send("listReceivedDocuments").ids == [made["id"]]
    shown = inspectorate.send("getDocumentRelease", id=made["id"]).expect(200)
    assert (shown["digest"], shown["case_id"]) == (document["digest"], None)
    assert inspectorate.send("getReleasedContent", id=made["id"]).expect(200).bytes == files.text()
    assert [one["type"] for one in of(consumer.read(), made["id"])] == ["document_release.created"]
    for other in others:
        for operation in ("getDocumentRelease", "getReleasedContent"):
            assert other.send(operation, id=made["id"]).status == 404
        assert other.send("listReceivedDocuments").expect(200)["items"] == []
    assert get(others[1], document).status == 404


def test_a_withdrawal_takes_the_document_away(committee, inspectorate, case):
    made = release(committee, stored(committee, case)).expect(201)
    withdrawn = committee.send("withdrawDocumentRelease", {"reason": "A corrected version follows."}, id=made["id"],
                               if_match=made["etag"]).expect(201)
    shown = inspectorate.send("getDocumentRelease", id=made["id"]).expect(200)
    assert (shown["withdrawal_reason"], shown["digest"], shown["kind"]) == ("A corrected version follows.", None, None)
    assert inspectorate.send("getReleasedContent", id=made["id"]).status == 404
    again = committee.send("withdrawDocumentRelease", {"reason": "Again."}, id=made["id"], if_match=withdrawn["etag"])
    assert (again.status, again.rules) == (409, {"withdrawn_already"})


def test_a_release_that_is_not_possible_is_refused(committee, case):
    document = add(committee, case).expect(201)
    assert release(committee, document).rules == {"no_content"}
    document = put(committee, document, files.text()).expect(201)
    for organisation, rule in (("XX-NONE", "unknown_code"), ("CPC-GLA", "own_document"), ("INDEPENDENT", "collective")):
        reply = release(committee, document, organisation)
        assert (reply.status, reply.rules) == (422, {rule})
    release(committee, document).expect(201)
    assert release(committee, document).rules == {"released_already"}


def test_the_review_team_adds_documents_and_releases_none(committee, caller, case):
    committee.send("grantAccess", new_access(client_id="documents-reviewer"), id=case["id"]).expect(201)
    reviewer = caller("INDEPENDENT", "documents-reviewer", "cases.read cases.write reviews.write")
    document = stored(reviewer, case)
    assert get(committee, document).status == 200
    assert release(reviewer, document).status == 404


def test_the_timeline_has_documents_and_releases(committee, case):
    document = stored(committee, case)
    made = release(committee, document).expect(201)
    entries = {one["subject_id"]: one["subject"] for one in timeline(committee, case)}
    assert (entries[document["id"]], entries[made["id"]]) == ("document", "document_release")


def test_the_digest_of_the_report_is_that_of_a_stored_report(committee):
    case = advance(committee, make_case(committee), "review")
    document = stored(committee, case)
    reply = committee.send("putReport", new_report(document_digest="0" * 64), id=case["id"], none_match="*")
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/document_digest"}, {"unknown_document"})
    good = new_report(document_digest=document["digest"])
    assert committee.send("putReport", good, id=case["id"], none_match="*").status == 201


def test_released_content_is_read_in_ranges(committee, case, caller):
    made = release(committee, stored(committee, case)).expect(201)
    reader = caller("CI", "reader", "notices.read")
    assert reader.send("getReleasedContent", id=made["id"], headers={"Range": "bytes=0-9"}).status == 206
    assert reader.send("getReleasedContent", id=made["id"], headers={"Range": "bytes=1000-"}).status == 416


def test_a_closed_case_takes_no_document(committee, case):
    move(committee, case["id"], "closed", "discontinued", way="discontinue").expect(201)
    assert add(committee, case).status == 409
