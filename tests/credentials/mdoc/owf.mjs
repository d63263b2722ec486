// The npm package @owf/mdoc: what it makes and what it says of ours. One task in, one answer out.

import { createHash, createHmac, createPrivateKey, createPublicKey, randomBytes, sign, verify, X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const require = createRequire(`${task.modules}/node_modules/`)
const mdoc = await import(pathToFileURL(require.resolve('@owf/mdoc')))

const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (data) => Buffer.from(data).toString('hex')
const plainJwk = (key) => {
  const { kty, crv, x, y, d } = key.jwk
  return { kty, crv, x, y, ...(d ? { d } : {}) }
}
const raw = { dsaEncoding: 'ieee-p1363' }

const context = {
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
}

const now = new Date(task.now)
const tasks = {
  async verify() {
    const failed = []
    try {
      await mdoc.Verifier.verifyDeviceResponse({
        deviceResponse: bytes(task.response),
        sessionTranscript: bytes(task.transcript),
        trustedCertificates: [bytes(task.root)],
        now,
        onCheck: (item) => { if (item.status === 'FAILED') failed.push(`${item.check}: ${item.reason ?? ''}`) },
      }, context)
    } catch (error) {
      failed.push(String(error))
    }
    return { failed }
  },
  async present() {
    const issuer = new mdoc.Issuer(task.docType, context)
    issuer.addIssuerNamespace(task.namespace, task.elements)
    const day = 86_400_000
    const issuerSigned = await issuer.sign({
      signingKey: mdoc.CoseKey.fromJwk(task.issuerKey),
      algorithm: mdoc.SignatureAlgorithm.ES256,
      digestAlgorithm: 'SHA-256',
      validityInfo: { signed: new Date(now - day), validFrom: new Date(now - day), validUntil: new Date(+now + day) },
      deviceKeyInfo: { deviceKey: mdoc.DeviceKey.fromJwk(task.holderPublic) },
      certificates: task.chain.map(bytes),
    })
    const transcript = await mdoc.SessionTranscript.forOid4Vp(
      { clientId: task.clientId, nonce: task.nonce, responseUri: task.responseUri }, context)
    const wanted = mdoc.ItemsRequest.create({ docType: task.docType, namespaces: { [task.namespace]: task.wanted } })
    const response = await mdoc.Holder.createDeviceResponseForDeviceRequest({
      deviceRequest: mdoc.DeviceRequest.create({ docRequests: [mdoc.DocRequest.create({ itemsRequest: wanted })] }),
      sessionTranscript: transcript,
      issuerSigned: [issuerSigned],
      signature: { signingKey: mdoc.CoseKey.fromJwk(task.holderKey) },
    }, context)
    return { response: hex(response.encode()), transcript: hex(transcript.encode()) }
  },
}
console.log(JSON.stringify(await tasks[task.do]()))
