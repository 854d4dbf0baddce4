#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H

// The C++ bindings of MPI-2 would be pulled in by some installations.
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

// Swift sees MPI's functions but none of its constants: they are macros that cast the address of a
// library object to a pointer type. Each function below hands one of them out.

static inline MPI_Comm CMPI_COMM_WORLD(void) { return MPI_COMM_WORLD; }
static inline MPI_Info CMPI_INFO_NULL(void) { return MPI_INFO_NULL; }
static inline MPI_Request CMPI_REQUEST_NULL(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler CMPI_ERRORS_RETURN(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Status *CMPI_STATUS_IGNORE(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Status *CMPI_STATUSES_IGNORE(void) { return MPI_STATUSES_IGNORE; }
static inline const void *CMPI_IN_PLACE(void) { return MPI_IN_PLACE; }

static inline MPI_Datatype CMPI_DOUBLE(void) { return MPI_DOUBLE; }
static inline MPI_Datatype CMPI_FLOAT(void) { return MPI_FLOAT; }
static inline MPI_Datatype CMPI_INT32(void) { return MPI_INT32_T; }
static inline MPI_Datatype CMPI_INT64(void) { return MPI_INT64_T; }
static inline MPI_Datatype CMPI_UINT64(void) { return MPI_UINT64_T; }
static inline MPI_Datatype CMPI_BYTE(void) { return MPI_BYTE; }

static inline MPI_Op CMPI_SUM(void) { return MPI_SUM; }
static inline MPI_Op CMPI_MAX(void) { return MPI_MAX; }
static inline MPI_Op CMPI_MIN(void) { return MPI_MIN; }

#endif
