// The mdoc's part of a holder of other makers: @owf/mdoc reads and verifies what came, and makes the DeviceResponse.
import { X509Certificate } from 'node:crypto'

import { contextOf } from '../world/owf.mjs'

export const MDOC = 'mso_mdoc'

export function mdocHolder({ mdoc, jose, root, keys }) {
  const context = contextOf(mdoc)
  const read = (credential) => mdoc.IssuerSigned.fromEncodedForOid4Vci(credential)
  const secured = (issued) => issued.issuerAuth.mobileSecurityObject

  return {
    // What the library says of a credential: its claims, or why it does not hold.
    async examine(credential) {
      try {
        await mdoc.Holder.verifyIssuerSigned({ issuerSigned: credential, trustedCertificates: [root.raw] }, context)
        const issued = read(credential)
        const { docType } = secured(issued)
        return { docType, claims: issued.getPrettyClaims(docType) }
      } catch (error) {
        return { error: error.message }
      }
    },

    // The answer to a request, with what its query asks for; the key of an encrypted answer stands in the transcript.
    async present(credential, request, asked, sessionNonce = request.nonce) {
      const issued = read(credential)
      const namespaces = {}
      for (const { path: [namespace, name] } of asked.claims) (namespaces[namespace] ??= {})[name] = false
      const wanted = mdoc.ItemsRequest.create({ docType: asked.meta.doctype_value, namespaces })
      const key = request.response_mode === 'direct_post.jwt' && request.client_metadata.jwks.keys[0]
      const sessionTranscript = await mdoc.SessionTranscript.forOid4Vp({
        clientId: request.client_id, nonce: sessionNonce, responseUri: request.response_uri,
        ...(key && { jwkThumbprint: jose.base64url.decode(await jose.calculateJwkThumbprint(key, 'sha256')) }),
      }, context)
      const { x } = secured(issued).deviceKeyInfo.deviceKey.jwk
      const signingKey = mdoc.CoseKey.fromJwk({ ...keys.get(x).export({ format: 'jwk' }), alg: 'ES256' })
      const response = await mdoc.Holder.createDeviceResponseForDeviceRequest({
        deviceRequest: mdoc.DeviceRequest.create({ docRequests: [mdoc.DocRequest.create({ itemsRequest: wanted })] }),
        sessionTranscript, issuerSigned: [issued], signature: { signingKey },
      }, context)
      return Buffer.from(response.encode()).toString('base64url')
    },
  }
}
