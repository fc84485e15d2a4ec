# Prints what the interpreter that runs it says of itself, as JSON on one line after a mark.
# Run with -I -c; must be understood by Python 2.7 and later, if only to say that it is too old.
import sys


def facts():
    import os
    import platform
    import re
    import struct
    import sysconfig

    def version(info):
        text = "%d.%d.%d" % (info.major, info.minor, info.micro)
        label = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.releaselevel)
        return text + label + str(info.serial) if label else text

    def two_numbers(text):
        found = re.search(r"(\d+)\.(\d+)", text or "")
        return [int(found.group(1)), int(found.group(2))] if found else None

    def glibc():
        try:
            return two_numbers(os.confstr("CS_GNU_LIBC_VERSION"))
        except (AttributeError, OSError, ValueError):
            return None

    def musl():
        # musl's loader prints its version when it is run without arguments.
        import glob
        import subprocess

        for loader in sorted(glob.glob("/lib/ld-musl-*.so.1")):
            try:
                process = subprocess.Popen(
                    [loader], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                )
                said = process.communicate(timeout=5)[1].decode("ascii", "replace")
            except (OSError, subprocess.SubprocessError):
                continue
            found = re.search(r"Version (\d+\.\d+)", said)
            if found:
                return two_numbers(found.group(1))
        return None

    linux = sys.platform.startswith("linux")
    glibc_version = glibc() if linux else None
    purelib, platlib = sysconfig.get_path("purelib"), sysconfig.get_path("platlib")
    folders = [purelib, platlib]
    for entry in sys.path:
        if os.path.basename(entry) in ("site-packages", "dist-packages") and entry not in folders:
            folders.append(entry)
    return {
        "executable": sys.executable,
        "purelib": purelib,
        "platlib": platlib,
        "site_packages": [folder for index, folder in enumerate(folders) if folder not in folders[:index]],
        "facts": {
            "markers": {
                "implementation_name": sys.implementation.name,
                "implementation_version": version(sys.implementation.version),
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_python_implementation": platform.python_implementation(),
                "platform_release": platform.release(),
                "platform_system": platform.system(),
                "platform_version": platform.version(),
                "python_full_version": version(sys.version_info),
                "python_version": "%d.%d" % sys.version_info[:2],
                "sys_platform": sys.platform,
            },
            "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "system": {
                "platform": sysconfig.get_platform(),
                "machine": platform.machine(),
                "pointer_bits": struct.calcsize("P") * 8,
                "glibc": glibc_version,
                "musl": musl() if linux and not glibc_version else None,
                "macos": two_numbers(platform.mac_ver()[0]) if sys.platform == "darwin" else None,
            },
        },
    }


def main():
    import json

    if sys.version_info < (3, 6):
        said = {"too_old": "%d.%d.%d" % sys.version_info[:3]}
    else:
        said = {"interpreter": facts()}
    # A sitecustomize may have printed half a line.
    sys.stdout.write("\nmlresolve-interpreter:" + json.dumps(said) + "\n")
    sys.stdout.flush()


main()
