// The npm package @owf/mdoc: what it makes and what it says of ours. One task in, one answer out.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

import { contextOf } from '../../world/owf.mjs'

const task = JSON.parse(process.argv[2])
const require = createRequire(`${task.modules}/node_modules/`)
const mdoc = await import(pathToFileURL(require.resolve('@owf/mdoc')))

const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (data) => Buffer.from(data).toString('hex')
const context = contextOf(mdoc)

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
