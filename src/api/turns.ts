/** Long answers are made in slices, as the scheduler's long work is: the wires may not ask the scheduler itself. */
export { Slices } from '../scheduler/slices.ts'
