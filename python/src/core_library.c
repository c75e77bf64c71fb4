#include "core_library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isa_level.h"

#if defined(__APPLE__)
#define LIBRARY_SUFFIX ".dylib"
#else
#define LIBRARY_SUFFIX ".so"
#endif

/* The level in SWIFTCONV_ISA, -1 where it is unset or empty, -2 with an ImportError set where it cannot be had. */
static int requested_level(void) {
  const char *name = getenv("SWIFTCONV_ISA");
  char valid[64] = "";
  int level;

  if (name == NULL || name[0] == '\0')
    return -1;
  level = isa_level_named(name);
  if (level < 0) {
    for (level = 0; level < ISA_LEVELS; ++level) {
      strcat(valid, level > 0 ? ", " : "");
      strcat(valid, isa_level_names[level]);
    }
    PyErr_Format(PyExc_ImportError, "SWIFTCONV_ISA=%s: expected one of %s", name, valid);
    return -2;
  }
  if (level > isa_level_of_cpu()) {
    PyErr_Format(PyExc_ImportError, "SWIFTCONV_ISA=%s: this CPU lacks that level; the best it supports is %s", name,
                 isa_level_names[isa_level_of_cpu()]);
    return -2;
  }
  return level;
}

/* `<directory of extension_file>/_core` */
static PyObject *core_directory(PyObject *extension_file) {
  PyObject *encoded;
  PyObject *package = NULL;
  PyObject *directory = NULL;
  const char *text, *slash;

  encoded = PyUnicode_EncodeFSDefault(extension_file);
  if (encoded == NULL)
    goto cleanup;
  text = PyBytes_AsString(encoded);
  if (text == NULL)
    goto cleanup;
  slash = strrchr(text, '/');
  package = slash == NULL ? PyUnicode_FromString(".") : PyUnicode_DecodeFSDefaultAndSize(text, slash - text);
  if (package == NULL)
    goto cleanup;
  directory = PyUnicode_FromFormat("%U/_core", package);

cleanup:
  Py_XDECREF(package);
  Py_XDECREF(encoded);
  return directory;
}

/* Path of the library for `level`; for a level of -1 the best one up to the CPU's that exists. */
static PyObject *find_library(PyObject *directory, int level) {
  int candidate = level >= 0 ? level : isa_level_of_cpu();
  int lowest = level >= 0 ? level : 0;
  const char *wanted = isa_level_names[candidate];
  PyObject *path, *encoded;
  int readable;

  for (; candidate >= lowest; --candidate) {
    path = PyUnicode_FromFormat("%U/libswiftconv-%s%s", directory, isa_level_names[candidate], LIBRARY_SUFFIX);
    encoded = path == NULL ? NULL : PyUnicode_EncodeFSDefault(path);
    if (encoded == NULL) {
      Py_XDECREF(path);
      return NULL;
    }
    readable = access(PyBytes_AsString(encoded), R_OK) == 0;
    Py_DECREF(encoded);
    if (readable)
      return path;
    Py_DECREF(path);
  }
  PyErr_Format(PyExc_ImportError,
               "swiftconv's core library %U/libswiftconv-%s%s is missing or unreadable%s: reinstall the wheel, or run "
               "'pip install .' in a checkout (needs the Swift toolchain)",
               directory, wanted, LIBRARY_SUFFIX,
               level >= 0 ? " (SWIFTCONV_ISA asks for it)" : ", and so is every lower level");
  return NULL;
}

static void *open_library(PyObject *path) {
  PyObject *encoded = PyUnicode_EncodeFSDefault(path);
  void *handle;

  if (encoded == NULL)
    return NULL;
  handle = dlopen(PyBytes_AsString(encoded), RTLD_NOW | RTLD_LOCAL);
  Py_DECREF(encoded);
  if (handle == NULL)
    PyErr_Format(PyExc_ImportError, "cannot open swiftconv's core library: %s", dlerror());
  return handle;
}

static int resolve(core_library *core, void *handle) {
  /* POSIX stores a function's address through void **: ISO C has no conversion between the two kinds of pointer. */
  struct {
    const char *name;
    void **address;
  } symbols[] = {
      {"sc_abi_version", (void **)&core->abi_version},
      {"sc_isa", (void **)&core->isa},
      {"sc_get_num_threads", (void **)&core->get_num_threads},
      {"sc_set_num_threads", (void **)&core->set_num_threads},
      {"sc_sliding_shape", (void **)&core->sliding_shape},
      {"sc_sliding_run", (void **)&core->sliding_run},
      {"sc_sliding_explain", (void **)&core->sliding_explain},
      {"sc_conv_shape", (void **)&core->conv_shape},
      {"sc_conv_run", (void **)&core->conv_run},
      {"sc_conv_explain", (void **)&core->conv_explain},
      {"sc_patches_shape", (void **)&core->patches_shape},
      {"sc_patches_gather", (void **)&core->patches_gather},
      {"sc_patches_scatter", (void **)&core->patches_scatter},
      {"sc_conv_plan_create", (void **)&core->conv_plan_create},
      {"sc_conv_plan_destroy", (void **)&core->conv_plan_destroy},
      {"sc_conv_plan_shape", (void **)&core->conv_plan_shape},
      {"sc_conv_plan_run", (void **)&core->conv_plan_run},
      {"sc_conv_plan_prepare", (void **)&core->conv_plan_prepare},
      {"sc_conv_plan_bytes", (void **)&core->conv_plan_bytes},
      {"sc_pool_shape", (void **)&core->pool_shape},
      {"sc_pool_run", (void **)&core->pool_run},
      {"sc_contract_run", (void **)&core->contract_run},
      {"sc_contract_explain", (void **)&core->contract_explain},
      {"sc_sliding_axes", (void **)&core->sliding_axes},
      {"sc_matrix_count", (void **)&core->matrix_count},
      {"sc_matrix_compressed", (void **)&core->matrix_compressed},
      {"sc_matrix_dense", (void **)&core->matrix_dense},
      {"sc_matrix_blocks", (void **)&core->matrix_blocks},
      {"sc_toeplitz_solve", (void **)&core->toeplitz_solve},
  };
  size_t index;

  for (index = 0; index < sizeof(symbols) / sizeof(symbols[0]); ++index) {
    *symbols[index].address = dlsym(handle, symbols[index].name);
    if (*symbols[index].address == NULL) {
      PyErr_Format(PyExc_ImportError, "swiftconv's core library %U lacks %s: reinstall swiftconv", core->path,
                   symbols[index].name);
      return -1;
    }
    if (index == 0 && core->abi_version() != SC_ABI_VERSION) {
      PyErr_Format(PyExc_ImportError,
                   "swiftconv's core library %U has ABI version %d, the extension expects %d: reinstall swiftconv",
                   core->path, (int)core->abi_version(), SC_ABI_VERSION);
      return -1;
    }
  }
  return 0;
}

int core_library_open(core_library *core, PyObject *extension_file) {
  PyObject *directory = NULL;
  int level, result = -1;
  void *handle;

  level = requested_level();
  if (level == -2)
    goto cleanup;
  directory = core_directory(extension_file);
  if (directory == NULL)
    goto cleanup;
  core->path = find_library(directory, level);
  if (core->path == NULL)
    goto cleanup;
  handle = open_library(core->path);
  if (handle == NULL)
    goto cleanup;
  result = resolve(core, handle);

cleanup:
  Py_XDECREF(directory);
  return result;
}
