"""Builds the compiled kernel; everything else about the package is in pyproject.toml."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MODULES = sorted(Path("src/rowvault/codec/compiled").glob("*.pyx"))
# Where the loop of a few instructions happens to begin is worth up to 5 % of its speed otherwise.
OPTIONS = ["-O3", "-falign-loops=32"]


class BuildKernel(build_ext):
    """Translates and compiles as many modules at once as there are processors."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or len(os.sched_getaffinity(0))

    def build_extensions(self):
        # The command as it is would translate in threads, which Cython is not made for.
        modules = cythonize(self.extensions, nthreads=int(self.parallel), include_path=["src"])
        for extension, translated in zip(self.extensions, modules, strict=True):
            extension.sources = translated.sources
            extension.depends = translated.depends
        super().build_extensions()


if __name__ == "__main__":
    setup(
        cmdclass={"build_ext": BuildKernel},
        ext_modules=[
            Extension(
                f"rowvault.codec.compiled.{module.stem}",
                [str(module)],
                extra_compile_args=OPTIONS,
            )
            for module in MODULES
        ],
    )
