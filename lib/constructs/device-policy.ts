/**
 * What the certificate of any device may do with IoT Core and Greengrass: one policy for all, because AWS fills in the
 * thing that holds the certificate.
 * @param iot ARN of a resource of AWS IoT in the devices' account.
 */
export const devicePolicyDocument = (stage: string, iot: (resource: string) => string, roleAlias: string) => {
  const thing = `\${iot:Connection.Thing.ThingName}`;
  const own = `millwright/${stage}/\${iot:Connection.Thing.Attributes[site]}/\${iot:Connection.Thing.Attributes[device]}`;
  const greengrassTopics = [
    `$aws/things/${thing}/greengrass/health/json`,
    `$aws/things/${thing}/greengrassv2/health/json`,
    `$aws/things/${thing}/jobs/*`,
    `$aws/things/${thing}/shadow/*`,
  ];
  const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: 'Allow', Action, Resource });
  return {
    Version: '2012-10-17',
    Statement: [
      // Further connections of one nucleus are called <thing>#2 and so on; no name of a thing has a #.
      allow('iot:Connect', [iot(`client/${thing}`), iot(`client/${thing}#*`)]),
      allow(
        ['iot:Publish'],
        [`${own}/report`, `${own}/digest`, `${own}/observations`, `${own}/quality`, ...greengrassTopics].map((t) =>
          iot(`topic/${t}`),
        ),
      ),
      allow(
        ['iot:Receive'],
        greengrassTopics.map((t) => iot(`topic/${t}`)),
      ),
      allow(
        ['iot:Subscribe'],
        greengrassTopics.map((t) => iot(`topicfilter/${t}`)),
      ),
      allow('iot:AssumeRoleWithCertificate', iot(`rolealias/${roleAlias}`)),
      allow(
        [
          'greengrass:GetComponentVersionArtifact',
          'greengrass:ResolveComponentCandidates',
          'greengrass:GetDeploymentConfiguration',
          'greengrass:ListThingGroupsForCoreDevice',
        ],
        '*',
      ),
    ],
  };
};
