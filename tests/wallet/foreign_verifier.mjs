// A verifier of other makers: @openid4vc/openid4vp behind node's http, presentations verified by
// @sd-jwt/sd-jwt-vc. One JSON object in; one line out (links to its requests); it ends with its input.
import { X509Certificate, createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const load = (name) => import(pathToFileURL(createRequire(`${task.modules}/`).resolve(name)).href)
const { Openid4vpVerifier } = await load('@openid4vc/openid4vp')
const { HashAlgorithm, setGlobalConfig } = await load('@openid4vc/oauth2')
const { SDJwtVcInstance } = await load('@sd-jwt/sd-jwt-vc')
const jose = await load('jose')
setGlobalConfig({ allowInsecureUrls: true }) // loopback

// The story has its own time.
const RealDate = Date
const offset = task.now * 1000 - RealDate.now()
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length) super(...given)
    else super(RealDate.now() + offset)
  }
  static now() {
    return RealDate.now() + offset
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const read = (text) => JSON.parse(Buffer.from(text, 'base64url'))
const certificateOf = (text) => new X509Certificate(Buffer.from(text, 'base64'))
const key = createPrivateKey({ key: task.key, format: 'jwk' })
const isSignedBy = (by, data, signature) =>
  verify('sha256', Buffer.from(data), { key: by, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
const { publicKey, privateKey } = await jose.generateKeyPair('ECDH-ES', { extractable: true })
const encryption = { ...(await jose.exportJWK(publicKey)), kid: 'enc-1', use: 'enc', alg: 'ECDH-ES' }
const callbacks = {
  hash: (data, alg) => createHash(alg === HashAlgorithm.Sha512 ? 'sha512' : 'sha256').update(data).digest(),
  generateRandom: (size) => randomBytes(size),
  getX509CertificateMetadata: (text) => {
    const names = (certificateOf(text).subjectAltName ?? '').split(', ')
    return { sanDnsNames: names.filter((one) => one.startsWith('DNS:')).map((one) => one.slice(4)), sanUriNames: [] }
  },
  signJwt: (signer, { header, payload }) => {
    const input = `${part(header)}.${part(payload)}`
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    return { jwt: `${input}.${signature}`, signerJwk: createPublicKey(key).export({ format: 'jwk' }) }
  },
  verifyJwt: () => { throw new Error('not used') },
  encryptJwe: () => { throw new Error('not used') },
  decryptJwe: async (text) => {
    const opened = await jose.compactDecrypt(text, privateKey)
    seen.enc = opened.protectedHeader.enc
    return { decrypted: true, payload: new TextDecoder().decode(opened.plaintext), decryptionJwk: encryption }
  },
}
// The chain of a token up to the root that this verifier trusts.
const root = new X509Certificate(task.root)
const isSigned = (data, signature) => {
  const chain = [...read(data.split('.')[0]).x5c.map(certificateOf), root]
  const whole = chain.slice(1).every((above, place) => chain[place].checkIssued(above) && chain[place].verify(above.publicKey))
  return whole && isSignedBy(chain[0].publicKey, data, signature)
}
const library = new SDJwtVcInstance({
  hasher: (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(Buffer.from(data)).digest()),
  hashAlg: 'sha-256', verifier: isSigned, statusVerifier: isSigned,
  statusListFetcher: async () => task.statusToken,
  kbVerifier: (data, signature, payload) =>
    isSignedBy(createPublicKey({ key: payload.cnf.jwk, format: 'jwk' }), data, signature),
})
const verifier = new Openid4vpVerifier({ callbacks })
const sessions = new Map()
const seen = {}

const requestOf = (base, name, { mode, enc, byPost }) => ({
  client_id: task.clientId, response_type: 'vp_token', response_mode: mode, response_uri: `${base}/responses/${name}`,
  nonce: sessions.get(name)?.nonce ?? randomBytes(24).toString('base64url'), state: name,
  dcql_query: task.query,
  client_metadata: {
    vp_formats_supported: { 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'] } },
    ...(mode === 'direct_post.jwt' && { jwks: { keys: [encryption] }, encrypted_response_enc_values_supported: [enc] }),
  },
})

async function requestObject(name, walletNonce) {
  const { request, uri } = sessions.get(name)
  const made = await verifier.createOpenId4vpAuthorizationRequest({
    jar: { jwtSigner: { method: 'x5c', alg: 'ES256', x5c: task.x5c }, requestUri: uri, expiresInSeconds: 60 },
    authorizationRequestPayload: walletNonce ? { ...request, wallet_nonce: walletNonce } : request,
    wallet: walletNonce ? { expectedNonce: walletNonce } : undefined,
  })
  return made.jar.authorizationRequestJwt
}

async function judge(name, form) {
  const session = sessions.get(name)
  const found = await verifier.parseOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: session.request, authorizationResponse: form, callbacks,
  })
  const [presentation] = Object.values(found.dcql.presentations)[0]
  const { payload, kb } = await library.verify(presentation, { keyBindingNonce: session.request.nonce })
  if (kb.payload.aud !== task.clientId) throw new Error('another audience')
  session.outcome = { claims: payload, mode: session.request.response_mode, enc: seen.enc ?? null }
}

const web = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
  const [, kind, name] = request.url.split('/')
  const answer = (status, type, body) => response.writeHead(status, { 'content-type': type }).end(body)
  try {
    if (kind === 'requests') {
      sessions.get(name).method = request.method
      return answer(200, 'application/oauth-authz-req+jwt', await requestObject(name, form.wallet_nonce))
    }
    if (kind === 'responses') {
      if (form.error) sessions.get(name).outcome = { error: form.error }
      else await judge(name, form)
      return answer(200, 'application/json', JSON.stringify({ redirect_uri: `https://shop.example/done?response_code=${name}` }))
    }
    return answer(200, 'application/json', JSON.stringify({ ...sessions.get(name).outcome, method: sessions.get(name).method }))
  } catch (error) {
    console.error(error)
    return answer(400, 'application/json', JSON.stringify({ error: String(error.message) }))
  }
})
web.listen(0, '127.0.0.1', () => {
  const base = `http://127.0.0.1:${web.address().port}`
  const links = task.wishes.map((wish, place) => {
    const name = `session-${place}`
    const uri = `${base}/requests/${name}`
    sessions.set(name, { request: requestOf(base, name, wish), uri })
    const query = new URLSearchParams({ client_id: task.clientId, request_uri: uri, ...(wish.byPost && { request_uri_method: 'post' }) })
    return `openid4vp://?${query}`
  })
  console.log(JSON.stringify({ base, links }))
})
process.stdin.resume().on('end', () => process.exit(0))
