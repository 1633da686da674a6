"""Bytes of documents, good and bad, for the tests."""
import base64
import hashlib
import io
import zipfile

TEXT, PDF = "text/plain", "application/pdf"
ODT = "application/vnd.oasis.opendocument.text"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def text(size=1000):
    return (b"The agencies shared their chronologies late.\n" * (size // 45 + 1))[:size]


def pdf(inner=b"<< /Type /Catalog >>"):
    return b"%PDF-1.7\n1 0 obj\n" + inner + b"\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def archive(*files):
    """Returns a zip archive of (name, content) pairs; `mimetype` is stored, the others are compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files:
            entry = zipfile.ZipInfo(name)  # always of the same time: each worker makes the same bytes
            out.writestr(entry, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return made.getvalue()


def odt(*more):
    return archive(("mimetype", ODT), ("content.xml", "<office:document-content/>"), *more)


def docx(*more):
    return archive(("[Content_Types].xml", "<Types/>"), ("word/document.xml", "<w:document/>"), *more)


def encrypted(data):
    """Sets the flag of encryption in the directory of a zip archive."""
    at = data.index(b"PK\1\2") + 8
    return data[:at] + bytes([data[at] | 1]) + data[at + 1:]


def bomb(data):
    """Lets the directory declare almost 4 GiB for the first entry."""
    at = data.index(b"PK\1\2") + 24
    return data[:at] + b"\xfe\xff\xff\xff" + data[at + 4:]


def digest_field(data):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
