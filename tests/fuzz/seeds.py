"""Writes seeds for the fuzz targets from the contract: seeds.py FOLDER."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "contract"))

import contract_reader  # noqa: E402

CLAIMS = {"iss": "https://issuer.example", "aud": ["x", "learning-reviews"], "iat": 1799999900, "exp": 1800000600,
          "nbf": 1799999900, "sub": "u", "azp": "c", "organisation": "LA-1", "scope": "a.b c_d"}
TEXTS = ["The letter of 3rd May 2020 names 3 agencies.", "born on 03/05/2019", "G12 8QQ", "a@b.example",
         "0141 496 0000 or +44 20 7946 0000", "DOB: 1.2.2003", "9434765919 and 010101 1234", "CHI 0101011234"]
HEADERS = ["Host: a\nAccept: text/html, */*;q=0.1\nAccept-Encoding: gzip;q=0.5", "If-Match: \"12-x\"\nHost: b",
           "Transfer-Encoding: chunked\nContent-Length: 5", "Idempotency-Key: \"a.b\"\nContent-Length: 5",
           "Content-Length: 5\ncontent-length: 6", "If-None-Match: W/\"1-x\", *"]


def write(folder, target, data):
    place = folder / target
    place.mkdir(parents=True, exist_ok=True)
    (place / f"seed-{len(list(place.iterdir()))}").write_bytes(data)


def main(folder):
    for operation in contract_reader.operations().values():
        examples = [json.dumps(operation.example_body()).encode()] if operation.body else []
        for number in range(len(contract_reader.operations())) if examples else ():
            if number % 7 == len(examples[0]) % 7:  # every seventh: the fuzzer itself moves the first byte
                write(folder, "fuzz_body", bytes([number, 0]) + examples[0])
        path = operation.path.replace("{id}", "01890000-0000-7000-8000-000000000000")
        write(folder, "fuzz_route", bytes([0]) + path.encode())
        names = [one["name"] for one in operation.parameters if one["in"] == "query"]
        if names:
            write(folder, "fuzz_query", bytes([len(names)]) + "&".join(f"{name}=1" for name in names).encode())
    referral = contract_reader.operations()["pushReferral"].example_body()
    write(folder, "fuzz_batch", b"\0" + json.dumps([referral, {}, 1]).encode())
    write(folder, "fuzz_batch", b"\1" + json.dumps(referral).encode() + b"\n{}\n\n1\n")
    write(folder, "fuzz_token", b"\1" + b'{"alg":"HS256","kid":"dev"}\n' + json.dumps(CLAIMS).encode())
    write(folder, "fuzz_token", b"\1" + b'{"alg":"HS256","kid":"dev","typ":"at+jwt"}')
    write(folder, "fuzz_token", b"\2\0\5A\0\0050")
    write(folder, "fuzz_token", b"\0eyJhbGciOiJIUzI1NiIsImtpZCI6ImRldiJ9.e30.AAAA")
    write(folder, "fuzz_cursor", b"AAAAAAAAAAAAAAAAWyJ4Il0")
    for text in TEXTS:
        write(folder, "fuzz_free_text", text.encode())
    for text in HEADERS:
        write(folder, "fuzz_headers", text.encode())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
