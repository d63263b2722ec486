// A wallet of other makers: @openid4vc/openid4vci drives our issuer. One JSON object in, one out.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const load = (name) => import(pathToFileURL(createRequire(task.modules + '/').resolve(name)).href)
const { Openid4vciClient } = await load('@openid4vc/openid4vci')
const { HashAlgorithm, Oauth2Client, clientAuthenticationNone, clientAuthenticationAnonymous, setGlobalConfig } =
  await load('@openid4vc/oauth2')
setGlobalConfig({ allowInsecureUrls: true }) // loopback

const keys = new Map()
const newKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  keys.set(jwk.x, privateKey)
  return { method: 'jwk', alg: 'ES256', publicJwk: jwk }
}
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const clientId = task.clientId
const callbacks = {
  fetch,
  hash: (data, alg) => createHash(alg === HashAlgorithm.Sha512 ? 'sha512' : 'sha256').update(data).digest(),
  generateRandom: (size) => randomBytes(size),
  clientAuthentication: clientId ? clientAuthenticationNone({ clientId }) : clientAuthenticationAnonymous(),
  signJwt: (signer, { header, payload }) => {
    const input = `${b64(header)}.${b64(payload)}`
    const key = keys.get(signer.publicJwk.x)
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    return { jwt: `${input}.${signature.toString('base64url')}`, signerJwk: signer.publicJwk }
  },
  verifyJwt: () => ({ verified: false }),
  decryptJwe: () => { throw new Error('not used') },
  encryptJwe: () => { throw new Error('not used') },
}
const client = new Openid4vciClient({ callbacks })
const credentialOffer = await client.resolveCredentialOffer(task.offer)
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
const configuration = credentialOffer.credential_configuration_ids[0]
const signer = newKey()

let token
if (task.flow === 'pre-authorized') {
  token = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode: task.txCode, dpop: task.dpop ? { signer } : undefined,
  })
} else {
  const begun = await client.initiateAuthorization({
    credentialOffer, issuerMetadata, clientId, redirectUri: task.redirectUri, state: 'state-1',
    scope: issuerMetadata.credentialIssuer.credential_configurations_supported[configuration].scope,
    dpop: { signer },
  })
  const asked = new URL(begun.authorizationRequestUrl)
  const answer = await fetch(asked.origin + asked.pathname, {
    method: 'POST', redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      client_id: asked.searchParams.get('client_id'), request_uri: asked.searchParams.get('request_uri'),
      login_code: task.loginCode, decision: 'approve',
    }),
  })
  const redirected = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: answer.headers.get('location'), authorizationServerMetadata: issuerMetadata.authorizationServers[0],
  })
  token = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: redirected.code,
    pkceCodeVerifier: begun.pkce.codeVerifier, redirectUri: task.redirectUri, dpop: { signer },
  })
}

const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
const jwts = []
for (let count = 0; count < task.copies; count += 1) {
  const { jwt } = await client.createCredentialRequestJwtProof({
    issuerMetadata, signer: newKey(), nonce, clientId, issuedAt: new Date(), credentialConfigurationId: configuration,
  })
  jwts.push(jwt)
}
const fetched = await client.retrieveCredentials({
  issuerMetadata, accessToken: token.accessTokenResponse.access_token, dpop: token.dpop,
  credentialConfigurationId: configuration, proofs: { jwt: jwts },
})
const response = fetched.credentialResponse
await client.sendNotification({
  issuerMetadata, accessToken: token.accessTokenResponse.access_token, 
  dpop: token.dpop ? { signer, nonce: fetched.dpop?.nonce ?? token.dpop.nonce } : undefined,
  notification: { notificationId: response.notification_id, event: 'credential_accepted' },
})
let refreshed = null
if (token.accessTokenResponse.refresh_token) {
  const oauth = new Oauth2Client({ callbacks })
  refreshed = await oauth.retrieveRefreshTokenAccessToken({
    authorizationServerMetadata: issuerMetadata.authorizationServers[0],
    refreshToken: token.accessTokenResponse.refresh_token, dpop: token.dpop,
  })
}
console.log(JSON.stringify({
  tokenType: token.accessTokenResponse.token_type,
  credentials: response.credentials.map((one) => one.credential),
  refreshed: Boolean(refreshed?.accessTokenResponse.access_token),
}))
