import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

const { pki } = forge

/** Returns a certificate authority, and what it signs: certificates and private keys in PEM. */
export function openAuthority() {
  const name = [{ name: 'commonName', value: 'Test authority' }]
  const own = newKeys()
  const root = certify(own, name, name, own, [{ name: 'basicConstraints', cA: true, critical: true }])
  return {
    pem: root,
    /** @param names host names and IPv4 addresses */
    sign(...names: string[]) {
      const keys = newKeys()
      const altNames = names.map((value) =>
        /^[\d.]+$/.test(value) ? { type: 7, ip: value } : { type: 2, value },
      )
      const subject = [{ name: 'commonName', value: 'Test' }]
      return {
        cert: certify(keys, subject, name, own, [{ name: 'subjectAltName', altNames }]),
        key: keys.pem,
      }
    },
  }
}

type Keys = ReturnType<typeof newKeys>

function newKeys() {
  // forge's own would take a second
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const secret = pki.privateKeyFromPem(pem)
  return { pem, secret, public: pki.setRsaPublicKey(secret.n, secret.e) }
}

/** Returns a certificate of these keys that is valid for a day. */
function certify(
  keys: Keys,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  signer: Keys,
  extensions: object[],
): string {
  const certificate = pki.createCertificate()
  const day = 24 * 3_600_000
  certificate.publicKey = keys.public
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date(Date.now() - day)
  certificate.validity.notAfter = new Date(Date.now() + day)
  certificate.setSubject(subject)
  certificate.setIssuer(issuer)
  certificate.setExtensions(extensions)
  certificate.sign(signer.secret, forge.md.sha256.create())
  return pki.certificateToPem(certificate)
}
