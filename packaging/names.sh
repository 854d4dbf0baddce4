# What an installation consists of; read by the other scripts here.
core_programs=(xinghe xinghed yh xinghe-step)
# Shows the programs of a rehearsed script the centre's time.
clock_library=libxinghe-clock.so
# One binary under many names: Tianhe's, and Slurm's own.
tianhe_names=(yhbatch yhqueue yhq yhinfo yhi yhcancel yhacct yhcontrol yhrun yhalloc
    yhprio yhshare yhacctmgr yhreport yhstat yheff yhdiag yhattach yhbcast yhtrigger)
slurm_names=(sbatch squeue sinfo scancel sacct scontrol srun salloc
    sprio sshare sacctmgr sreport sstat seff sdiag sattach sbcast strigger)

# The programs that need MPI, BLAS and FFTW; none with XINGHE_KERNELS=no.
kernel_programs() {
    if [ "${XINGHE_KERNELS:-yes}" != no ]; then echo xinghe-kernel; fi
}
