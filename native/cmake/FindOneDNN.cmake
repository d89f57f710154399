# oneDNN 2.6 or newer, by its header and its library alone: defines the target oneDNN::dnnl and OneDNN_VERSION.
# Not find_package(dnnl): Debian 12's dnnl-config.cmake requires the development files of OpenCL, which nothing here uses.
# Another copy than the system's: -DOneDNN_ROOT=FOLDER.
find_path(OneDNN_INCLUDE_DIR dnnl.hpp)
find_library(OneDNN_LIBRARY dnnl)

if(OneDNN_INCLUDE_DIR)
  foreach(part MAJOR MINOR PATCH)
    file(GLOB headers ${OneDNN_INCLUDE_DIR}/dnnl_version.h ${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h)
    foreach(header ${headers})
      file(STRINGS ${header} line REGEX "^#define DNNL_VERSION_${part} +[0-9]+")
      if(line)
        string(REGEX MATCH "[0-9]+$" ${part} "${line}")
      endif()
    endforeach()
  endforeach()
  set(OneDNN_VERSION ${MAJOR}.${MINOR}.${PATCH})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  OneDNN
  REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR
  VERSION_VAR OneDNN_VERSION)
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)

if(OneDNN_FOUND AND NOT TARGET oneDNN::dnnl)
  add_library(oneDNN::dnnl UNKNOWN IMPORTED)
  set_target_properties(oneDNN::dnnl PROPERTIES IMPORTED_LOCATION ${OneDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                                    ${OneDNN_INCLUDE_DIR})
endif()
