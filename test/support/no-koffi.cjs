// For `node --require`: a machine for which koffi has no build.
const dlopen = process.dlopen
process.dlopen = (module, file, ...rest) => {
  if (file.includes('koffi')) throw new Error('no koffi for this machine')
  return dlopen.call(process, module, file, ...rest)
}
