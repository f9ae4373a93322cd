"""What `oras` pushes we pull, and the other way round: `oras_client.py push|pull REFERENCE FILE`.

`push` takes the file of a component, `pull` writes it. The environment has ORAS_USERNAME and ORAS_PASSWORD where the
registry wants them, and ORAS_PLAIN where it speaks plain HTTP.
"""

import os
import sys
import tempfile

import oras.client

verb, reference, path = sys.argv[1:]
client = oras.client.OrasClient(insecure="ORAS_PLAIN" in os.environ, auth_backend="basic")
if "ORAS_USERNAME" in os.environ:
    client.auth.set_basic_auth(os.environ["ORAS_USERNAME"], os.environ["ORAS_PASSWORD"])
if verb == "push":
    # From its own folder, so that the title of the layer is its name alone.
    os.chdir(os.path.dirname(path))
    client.push(target=reference, files=[f"{os.path.basename(path)}:application/wasm"])
else:
    # Ours has no titles on components, without which the client's own `pull` passes over them.
    manifest = client.get_manifest(reference)
    layer = next(layer for layer in manifest["layers"] if layer["mediaType"] == "application/wasm")
    container = client.get_container(reference)
    with tempfile.TemporaryDirectory() as folder:
        got = client.download_blob(container, layer["digest"], os.path.join(folder, "component.wasm"))
        with open(got, "rb") as source, open(path, "wb") as target:
            target.write(source.read())
