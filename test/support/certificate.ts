/** A certificate for this machine, signed by itself. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** The paths of its PEM files. */
export const certificateIn = (folder: string): { cert: string; key: string } => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const making = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ]
  execFileSync('openssl', [...making, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
  return { cert, key }
}
