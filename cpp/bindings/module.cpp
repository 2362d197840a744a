// The module topes._core: thin, private; topes/*.py is the face.
#include "numpy.hpp"
#include "topes/error.hpp"

namespace py = pybind11;

namespace {

// The exceptions of topes.errors carry data: build them there.
void raise_limit(const topes::CellLimit& e) {
  const py::object type = py::module_::import("topes.errors").attr("CellLimitError");
  const py::object error = type(e.what(), py::arg("bound") = e.limit);  // the face puts its own bound in
  PyErr_SetObject(type.ptr(), error.ptr());
}

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "Exact arrangements of hyperplanes: the compiled core of topes.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const topes::CellLimit& e) {
      raise_limit(e);
    } catch (const topes::InvalidArgument& e) {
      py::set_error(py::module_::import("topes.errors").attr("InputError"), e.what());
    } catch (const topes::Error& e) {
      py::set_error(py::module_::import("topes.errors").attr("TopesError"), e.what());
    }
  });
  topes::python::bind_arrangement(m);
  topes::python::bind_held(m);
  topes::python::bind_cells(m);
  topes::python::bind_plan(m);
  topes::python::bind_pricing(m);
  topes::python::bind_sample(m);
  topes::python::bind_solid_angle(m);
  topes::python::bind_descent(m);
  topes::python::bind_great_circle(m);
}
