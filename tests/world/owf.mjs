// What the npm package @owf/mdoc wants to be given: digests, signatures and certificates, by node's own.

import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify, X509Certificate } from 'node:crypto'

const plainJwk = (key) => {
  const { kty, crv, x, y, d } = key.jwk
  return { kty, crv, x, y, ...(d ? { d } : {}) }
}
const raw = { dsaEncoding: 'ieee-p1363' }

export const contextOf = (mdoc) => ({
  crypto: {
    // The package draws numbers of digests from 32 bits; ISO/IEC 18013-5, 9.1.2.5 wants them below 2^31.
    random: (length) => new Uint8Array(randomBytes(length).map((byte) => byte & 0x7f)),
    digest: ({ digestAlgorithm, bytes: data }) =>
      new Uint8Array(createHash(digestAlgorithm.replace('-', '')).update(data).digest()),
    calculateEphemeralMacKey: () => { throw new Error('no codes here') },
  },
  cose: {
    sign1: {
      sign: ({ toBeSigned, key }) =>
        new Uint8Array(sign('sha256', toBeSigned, { key: createPrivateKey({ key: plainJwk(key), format: 'jwk' }), ...raw })),
      verify: ({ key, sign1 }) =>
        verify('sha256', sign1.toBeSigned, { key: createPublicKey({ key: plainJwk(key), format: 'jwk' }), ...raw }, sign1.signature),
    },
    mac0: { sign: () => { throw new Error('no codes here') }, verify: () => false },
  },
  x509: {
    getIssuerNameField: ({ certificate, field }) =>
      new X509Certificate(certificate).issuer.split('\n').filter((part) => part.startsWith(`${field}=`)).map((part) => part.slice(field.length + 1)),
    getPublicKey: ({ certificate }) => mdoc.CoseKey.fromJwk(new X509Certificate(certificate).publicKey.export({ format: 'jwk' })),
    verifyCertificateChain: ({ trustedCertificates, x5chain }) => {
      const chain = [...x5chain, ...trustedCertificates].map((one) => new X509Certificate(one))
      for (let place = 0; place + 1 < chain.length; place++) {
        if (!chain[place].verify(chain[place + 1].publicKey)) throw new Error('the chain does not hold')
      }
    },
    getCertificateData: ({ certificate }) => {
      const found = new X509Certificate(certificate)
      return {
        issuerName: found.issuer, subjectName: found.subject, serialNumber: found.serialNumber, thumbprint: found.fingerprint256,
        notBefore: new Date(found.validFrom), notAfter: new Date(found.validTo), pem: found.toString(),
      }
    },
  },
})
